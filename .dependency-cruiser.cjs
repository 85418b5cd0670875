// The import table: a folder may import only what stands in its row, and only through that folder's index.ts.
// The order is that of docs/architecture.md; imports point up it, towards base.
const MAY = {
  base: [],
  contract: [],
  store: ["base"],
  security: ["base", "contract", "store"],
  guard: ["base", "contract", "store"],
  logs: ["base", "contract", "store"],
  tasks: ["base", "contract", "store"],
  messages: ["base", "contract", "store", "tasks"],
  gateway: ["base", "contract", "store", "security", "guard"],
  repositories: ["base", "store", "tasks"],
  agents: ["base", "contract", "store", "tasks", "repositories"],
  sources: ["base", "contract", "store", "tasks", "repositories"],
  chat: ["base", "contract", "store"],
  api: ["base", "contract", "store", "security", "logs", "tasks", "messages", "agents", "chat"],
  main: [
    "base",
    "contract",
    "store",
    "security",
    "guard",
    "logs",
    "tasks",
    "messages",
    "gateway",
    "repositories",
    "agents",
    "sources",
    "chat",
    "api",
  ],
  cli: ["base", "contract", "store", "tasks", "repositories", "agents", "sources", "main"],
};

// Programs are started in base; the sandbox needs file descriptors that the port does not offer.
const STARTS_PROGRAMS = "^src/(base/|agents/sandbox/)";

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "known-folder",
      severity: "error",
      from: { path: "^src/", pathNot: `^src/(${Object.keys(MAY).join("|")})/` },
      to: {},
    },
    {
      name: "public-door-only",
      severity: "error",
      from: { path: "^src/([^/]+)/", pathNot: "\\.test\\.ts$|-fixture\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: ["^src/$1/", "/index\\.ts$", "^src/main/version\\.ts$"] },
    },
    ...Object.entries(MAY).map(([folder, allowed]) => ({
      name: `${folder}-imports`,
      severity: "error",
      from: { path: `^src/${folder}/`, pathNot: "\\.test\\.ts$|-fixture\\.ts$" },
      to: { path: "^src/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
    })),
    {
      name: "child-process-only-in-base",
      severity: "error",
      from: { path: "^src/", pathNot: [STARTS_PROGRAMS, "\\.test\\.ts$", "-fixture\\.ts$"] },
      to: { path: "^(node:)?child_process$" },
    },
  ],
  options: {
    parser: "swc",
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};

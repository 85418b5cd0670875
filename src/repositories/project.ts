import { z } from "zod";
import { parseJson } from "../base/index.ts";
import type { Git } from "./git.ts";
import { LOCKFILE_PATTERNS } from "./lockfiles.ts";
import { isCovered } from "./path-rules.ts";

export interface Project {
  /** What was recognised, e.g. `["node"]`; empty for an unknown kind. */
  readonly kinds: readonly string[];
  /** Shell commands that fetch dependencies; need the network. */
  readonly prepare: readonly string[];
  /** Shell commands that judge a change; need no network. */
  readonly check: readonly string[];
  /** Lockfiles at the top. */
  readonly lockfiles: readonly string[];
  /** Directories that `prepare` fills; they are copied into clones and stay out of commits. */
  readonly outputs: readonly string[];
}

interface DetectParams {
  readonly gitDir: string;
  readonly commit: string;
}

/** What a detector sees: the names at the top of the commit, and the text of a file ("" where there is none). */
interface Top {
  readonly names: ReadonlySet<string>;
  read(name: string): Promise<string>;
}

type Part = Omit<Project, "kinds" | "lockfiles">;

const packageSchema = z.looseObject({
  scripts: z.record(z.string(), z.string()).catch({}).default({}),
  dependencies: z.record(z.string(), z.unknown()).catch({}).default({}),
  devDependencies: z.record(z.string(), z.unknown()).catch({}).default({}),
});

const NODE_CHECKS = [
  ["format:check"],
  ["lint"],
  ["typecheck", "type-check", "check-types", "tsc"],
  ["test"],
] as const;

async function detectNode(top: Top): Promise<Part | null> {
  if (!top.names.has("package.json")) return null;
  const parsed = packageSchema.safeParse(parseJson(await top.read("package.json")));
  const manifest = parsed.success ? parsed.data : packageSchema.parse({});
  const [runner, install] = nodeInstaller(top);
  const hasDependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0;
  const check: string[] = [];
  for (const candidates of NODE_CHECKS) {
    const script = candidates.find((name) => manifest.scripts[name] !== undefined);
    if (script === undefined || /no test specified/.test(manifest.scripts[script] ?? "")) continue;
    check.push(script === "test" && runner !== "bun" ? `${runner} test` : `${runner} run ${script}`);
  }
  const prepare = install ?? (hasDependencies ? "npm install --no-audit --no-fund" : null);
  return {
    prepare: prepare === null ? [] : [prepare],
    check,
    outputs: prepare === null ? [] : ["node_modules"],
  };
}

function nodeInstaller(top: Top): readonly [runner: string, install: string | null] {
  if (top.names.has("pnpm-lock.yaml")) return ["pnpm", "pnpm install --frozen-lockfile"];
  if (top.names.has("yarn.lock"))
    return [
      "yarn",
      top.names.has(".yarnrc.yml") ? "yarn install --immutable" : "yarn install --frozen-lockfile",
    ];
  if (top.names.has("bun.lock") || top.names.has("bun.lockb"))
    return ["bun", "bun install --frozen-lockfile"];
  if (top.names.has("package-lock.json") || top.names.has("npm-shrinkwrap.json"))
    return ["npm", "npm ci --no-audit --no-fund"];
  return ["npm", null];
}

async function detectPython(top: Top): Promise<Part | null> {
  const requirements = [...top.names].filter((name) => isCovered(name, ["requirements*.txt"])).sort();
  const isPython =
    requirements.length > 0 ||
    ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile"].some((name) => top.names.has(name));
  if (!isPython) return null;
  const texts = await Promise.all(
    ["pyproject.toml", "setup.cfg", "tox.ini", ...requirements].map((name) => top.read(name)),
  );
  const usesPytest =
    top.names.has("pytest.ini") ||
    top.names.has("conftest.py") ||
    texts.some((text) => /\bpytest\b/.test(text));
  const usesRuff = top.names.has("ruff.toml") || texts.some((text) => /\bruff\b/.test(text));
  const [run, prepare] = pythonInstaller(top, requirements);
  const test = usesPytest
    ? [`${run}pytest`]
    : top.names.has("tests")
      ? [`${run}unittest discover -s tests`]
      : [];
  const outputs = prepare.length > 0 ? [".venv"] : [];
  return { prepare, check: [...(usesRuff ? [`${run}ruff check`] : []), ...test], outputs };
}

function pythonInstaller(
  top: Top,
  requirements: readonly string[],
): readonly [run: string, prepare: readonly string[]] {
  if (top.names.has("uv.lock")) return ["uv run --frozen python -m ", ["uv sync --frozen"]];
  if (top.names.has("poetry.lock"))
    return ["poetry run python -m ", ["POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"]];
  if (requirements.length === 0) return ["python3 -m ", []];
  const files = requirements.map((name) => `-r ${name}`).join(" ");
  return [".venv/bin/python -m ", ["python3 -m venv .venv", `.venv/bin/pip install ${files}`]];
}

async function detectRust(top: Top): Promise<Part | null> {
  if (!top.names.has("Cargo.toml")) return null;
  const locked = top.names.has("Cargo.lock") ? " --locked" : "";
  return { prepare: [`cargo fetch${locked}`], check: [`cargo test --offline${locked}`], outputs: [] };
}

async function detectGo(top: Top): Promise<Part | null> {
  if (!top.names.has("go.mod")) return null;
  return { prepare: ["go mod download"], check: ["go vet ./...", "go test ./..."], outputs: [] };
}

async function detectRuby(top: Top): Promise<Part | null> {
  if (!top.names.has("Gemfile")) return null;
  const usesRspec =
    top.names.has("spec") &&
    /\brspec\b/.test(`${await top.read("Gemfile")}${await top.read("Gemfile.lock")}`);
  const test = usesRspec ? ["bundle exec rspec"] : top.names.has("Rakefile") ? ["bundle exec rake test"] : [];
  return { prepare: ["BUNDLE_PATH=vendor/bundle bundle install"], check: test, outputs: ["vendor/bundle"] };
}

async function detectPhp(top: Top): Promise<Part | null> {
  if (!top.names.has("composer.json")) return null;
  const parsed = z
    .looseObject({ scripts: z.record(z.string(), z.unknown()).default({}) })
    .safeParse(parseJson(await top.read("composer.json")));
  const hasTest = parsed.success && parsed.data.scripts["test"] !== undefined;
  const test = hasTest
    ? ["composer test"]
    : top.names.has("phpunit.xml") || top.names.has("phpunit.xml.dist")
      ? ["vendor/bin/phpunit"]
      : [];
  return { prepare: ["composer install --no-interaction"], check: test, outputs: ["vendor"] };
}

/** A Makefile speaks only where nothing else knows how to test. */
async function detectMake(top: Top): Promise<Part | null> {
  const name = ["GNUmakefile", "makefile", "Makefile"].find((candidate) => top.names.has(candidate));
  if (name === undefined || !/^test\s*:(?!=)/m.test(await top.read(name))) return null;
  return { prepare: [], check: ["make test"], outputs: [] };
}

const DETECTORS = [
  ["node", detectNode],
  ["python", detectPython],
  ["rust", detectRust],
  ["go", detectGo],
  ["ruby", detectRuby],
  ["php", detectPhp],
] as const;

/** Proposes how to prepare and check a commit, from the files at its top. Runs nothing of it; wrong or broken files only lead to fewer proposals. */
export async function detectProject(git: Git, params: Readonly<DetectParams>): Promise<Project> {
  const { gitDir, commit } = params;
  const listing = await git.text({
    gitDir,
    args: ["ls-tree", "--name-only", "-z", commit],
    maxOutputBytes: 4_000_000,
  });
  const names = new Set(listing.split("\0").filter((name) => name !== ""));
  const top: Top = {
    names,
    read: async (name) =>
      names.has(name)
        ? (
            await git.run({
              gitDir,
              args: ["cat-file", "blob", `${commit}:${name}`],
              maxOutputBytes: 1_000_000,
            })
          ).stdout
        : "",
  };
  const parts: (Part & { readonly kind: string })[] = [];
  for (const [kind, detect] of DETECTORS) {
    const part = await detect(top);
    if (part !== null) parts.push({ kind, ...part });
  }
  if (!parts.some((part) => part.check.length > 0)) {
    const part = await detectMake(top);
    if (part !== null) parts.push({ kind: "make", ...part });
  }
  return {
    kinds: parts.map((part) => part.kind),
    prepare: parts.flatMap((part) => part.prepare),
    check: parts.flatMap((part) => part.check),
    lockfiles: [...names].filter((name) => isCovered(name, LOCKFILE_PATTERNS)).sort(),
    outputs: parts.flatMap((part) => part.outputs),
  };
}

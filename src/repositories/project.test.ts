import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockfileHash } from "./lockfiles.ts";
import { detectProject, type Project } from "./project.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fx: Fixture;
let root: string;
let gitDir: string;
beforeEach(async () => {
  fx = await openFixture();
  root = await fx.repository("project", { "README.md": "x" });
  gitDir = path.join(root, ".git");
});
afterEach(() => fx.close());

async function detect(files: Readonly<Record<string, string>>): Promise<Project> {
  return detectProject(fx.git, { gitDir, commit: await fx.commit(root, files) });
}

const manifest = (scripts: Readonly<Record<string, string>>): string =>
  JSON.stringify({ scripts, devDependencies: { x: "1" } });

test("proposes npm ci and the scripts that exist", async () => {
  const scripts = { test: "vitest run", lint: "oxlint", "type-check": "tsc", build: "x" };
  expect(await detect({ "package.json": manifest(scripts), "package-lock.json": "{}" })).toEqual({
    kinds: ["node"],
    prepare: ["npm ci --no-audit --no-fund"],
    check: ["npm run lint", "npm run type-check", "npm test"],
    lockfiles: ["package-lock.json"],
    outputs: ["node_modules"],
  });
});

test.each([
  ["pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm test"],
  ["yarn.lock", "yarn install --frozen-lockfile", "yarn test"],
  ["bun.lock", "bun install --frozen-lockfile", "bun run test"],
])("follows %s", async (lockfile, prepare, check) => {
  const found = await detect({ "package.json": manifest({ test: "x" }), [lockfile]: "" });
  expect(found).toMatchObject({ prepare: [prepare], check: [check], lockfiles: [lockfile] });
});

test("survives a broken package.json, and leaves npm's placeholder test out", async () => {
  expect(await detect({ "package.json": "{ nonsense" })).toMatchObject({
    kinds: ["node"],
    prepare: [],
    check: [],
  });
  const text = JSON.stringify({ scripts: { test: 'echo "Error: no test specified" && exit 1' } });
  expect(await detect({ "package.json": text })).toMatchObject({ prepare: [], check: [] });
  expect(await detect({ "package.json": '{"scripts":[1],"dependencies":"x"}' })).toMatchObject({ check: [] });
});

test("proposes for Python, Rust, Go, Ruby, PHP and make", async () => {
  const only = async (files: Readonly<Record<string, string>>): Promise<Project> => {
    await fx.person(root, "rm", "-rqf", ".");
    return detect(files);
  };
  expect(await only({ "requirements-dev.txt": "pytest\n", "app.py": "" })).toMatchObject({
    kinds: ["python"],
    prepare: ["python3 -m venv .venv", ".venv/bin/pip install -r requirements-dev.txt"],
    check: [".venv/bin/python -m pytest"],
    lockfiles: ["requirements-dev.txt"],
  });
  expect((await only({ "pyproject.toml": "[tool.pytest]\n[tool.ruff]", "uv.lock": "" })).check).toEqual([
    "uv run --frozen python -m ruff check",
    "uv run --frozen python -m pytest",
  ]);
  expect((await only({ "pyproject.toml": "", "tests/test_a.py": "" })).check).toEqual([
    "python3 -m unittest discover -s tests",
  ]);
  expect((await only({ "Cargo.toml": "", "Cargo.lock": "" })).check).toEqual([
    "cargo test --offline --locked",
  ]);
  expect((await only({ "go.mod": "" })).check).toEqual(["go vet ./...", "go test ./..."]);
  expect((await only({ Gemfile: "gem 'rspec'", "spec/a.rb": "" })).check).toEqual(["bundle exec rspec"]);
  expect((await only({ "composer.json": '{"scripts":{"test":"x"}}' })).check).toEqual(["composer test"]);
  expect((await only({ Makefile: "all:\n\ntest: all\n\techo\n" })).check).toEqual(["make test"]);
  expect(await only({ Makefile: "test := 1\n" })).toEqual({
    kinds: [],
    prepare: [],
    check: [],
    lockfiles: [],
    outputs: [],
  });
});

test("sums up lockfiles wherever they are, and nothing else", async () => {
  const hash = async (files: Readonly<Record<string, string>>, extra: readonly string[] = []) =>
    lockfileHash(fx.git, { gitDir, commit: await fx.commit(root, files), extra });
  expect(await hash({ x: "1" })).toEqual({ hash: null, files: [] });
  const first = await hash({
    "go.sum": "1",
    "web/パス/package-lock.json": "{}",
    "web/node_modules/y/yarn.lock": "",
  });
  expect(first.files).toEqual(["go.sum", "web/パス/package-lock.json"]);
  expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await hash({ x: "2" })).toEqual(first);
  expect((await hash({}, ["npm ci"])).hash).not.toBe(first.hash);
  expect((await hash({ "go.sum": "2" })).hash).not.toBe(first.hash);
});

import { execFile } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AppError } from "../../src/base/index.ts";
import {
  DEFAULT_HANDOVER_LIMITS,
  ensureCache,
  fetchTarget,
  findProtectedChanges,
  importBundle,
  type HandoverLimits,
} from "../../src/repositories/index.ts";
import { openFixture, type Fixture } from "../../src/repositories/repository-fixture.ts";
import { PLANTED, type Planted } from "./planted.ts";

/* Hand-overs as an agent could make them with git's plumbing, past everything that git itself refuses to do with files. */
interface Entry {
  readonly mode: string;
  readonly id: string;
}

let fixture: Fixture;
let source: string;
let cachePath: string;
let base: string;
let count = 0;
beforeAll(async () => {
  fixture = await openFixture();
  source = await fixture.repository("source", {
    "a.txt": "a\n",
    "src/b.txt": "b\n",
    ".github/workflows/ci.yml": "on: push\n",
  });
  cachePath = await ensureCache(fixture.git, {
    repositoryId: "r1",
    sourcePath: source,
    cachesDir: path.join(fixture.dir, "caches"),
  });
  base = (await fetchTarget(fixture.git, { cachePath, sourcePath: source, branch: "main" })).commit;
});
afterAll(() => fixture.close());

test.each(PLANTED.map((one) => [one.name, one] as const))("%s", async (_, { files, becomes }) => {
  const bundle = await bundleOf([await commitOf(files, base)]);
  expect(await become(bundle)).toBe(becomes);
});

test.each([
  ["5,001 files", "files", {}],
  ["501 commits", "commits", {}],
  ["files that are small only while they are packed", "bomb", { maxNewBytes: 1_000_000 }],
  ["a bundle that is too large", "bomb", { maxBundleBytes: 500 }],
] as const)("%s are refused", async (_, what, limits) => {
  const lines = ["feature done"];
  const commit = (from: string): number =>
    lines.push(
      "commit refs/heads/flood",
      "committer A <a@example.org> 1000000000 +0000",
      "data 1",
      "x",
      from,
    );
  if (what === "commits")
    for (let index = 0; index < 501; index += 1) commit(index === 0 ? `from ${base}` : "");
  else commit(`from ${base}`);
  if (what === "files")
    for (let index = 0; index < 5_001; index += 1) lines.push(`M 100644 inline f/${index}`, "data 1", "x");
  if (what === "bomb") lines.push("M 100644 inline bomb", "data 2000000", "0".repeat(2_000_000));
  await gitIn(["fast-import", "--quiet", "--force"], `${lines.join("\n")}\ndone\n`);
  expect(await become(await bundleOf(["refs/heads/flood"]), limits)).toBe("refused");
});

test("a tree with two entries of one name is refused", async () => {
  const id = await gitIn(["hash-object", "-w", "--stdin"], "x");
  const raw = Buffer.concat(
    [1, 2].map(() => Buffer.concat([Buffer.from("100644 a\0"), Buffer.from(id, "hex")])),
  );
  const tree = await gitIn(["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], raw);
  const commit = await gitIn(["commit-tree", tree, "-p", base, "-m", "x"]);
  expect(await become(await bundleOf([commit]))).toBe("refused");
});

test("a bundle with further refs, without the base, or that is none at all is refused", async () => {
  const commit = await commitOf([["src/x.txt", "x\n"]], base);
  await gitIn(["update-ref", "refs/heads/further", commit]);
  expect(await become(await bundleOf([commit], ["refs/heads/further"]))).toBe("refused");
  const rootless = await gitIn(["commit-tree", await gitIn(["rev-parse", `${commit}^{tree}`]), "-m", "x"]);
  expect(await become(await bundleOf([rootless]))).toBe("refused");
  expect(await become("/proc/self/environ")).toBe("refused");
});

async function become(bundleFile: string, limits: Partial<HandoverLimits> = {}): Promise<Planted["becomes"]> {
  const taskId = `t${(count += 1)}`;
  try {
    const { commit } = await importBundle(fixture.git, {
      cachePath,
      bundleFile,
      taskId,
      expectedBase: base,
      limits: { ...DEFAULT_HANDOVER_LIMITS, ...limits },
    });
    const found = await findProtectedChanges(fixture.git, {
      gitDir: cachePath,
      target: base,
      head: commit,
      rules: [],
    });
    return found === null ? "allowed" : "approval";
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "handover.invalid") throw error;
    expect(await gitIn(["for-each-ref", `refs/miyabi/tasks/${taskId}`], "", cachePath)).toBe("");
    return "refused";
  }
}

async function commitOf(files: Planted["files"], parent: string): Promise<string> {
  const listed = await gitIn(["ls-tree", "-r", "-z", parent]);
  const entries = new Map<string, Entry>();
  for (const line of listed.split("\0").filter((one) => one !== "")) {
    const [facts = "", name = ""] = line.split("\t");
    const [mode = "", , id = ""] = facts.split(" ");
    entries.set(name, { mode, id });
  }
  for (const [name, content, mode = "100644"] of files) {
    for (const other of entries.keys()) if (other.startsWith(`${name}/`)) entries.delete(other);
    if (content === null) entries.delete(name);
    else if (mode === "160000") entries.set(name, { mode, id: base });
    else entries.set(name, { mode, id: await gitIn(["hash-object", "-w", "--stdin"], content) });
  }
  return gitIn(["commit-tree", await treeOf(entries), "-p", parent, "-m", "work"]);
}

async function treeOf(entries: ReadonlyMap<string, Entry>): Promise<string> {
  const lines = new Map<string, string>();
  const below = new Map<string, Map<string, Entry>>();
  for (const [name, entry] of entries) {
    const slash = name.indexOf("/");
    if (slash < 0) {
      lines.set(name, `${entry.mode} ${entry.mode === "160000" ? "commit" : "blob"} ${entry.id}\t${name}\0`);
      continue;
    }
    const directory = name.slice(0, slash);
    const inside = below.get(directory) ?? new Map<string, Entry>();
    below.set(directory, inside.set(name.slice(slash + 1), entry));
  }
  for (const [name, inside] of below) lines.set(name, `040000 tree ${await treeOf(inside)}\t${name}\0`);
  return gitIn(["mktree", "-z", "--missing"], [...lines.values()].join(""));
}

async function bundleOf(heads: readonly string[], further: readonly string[] = []): Promise<string> {
  const file = path.join(fixture.dir, `${(count += 1)}.bundle`);
  const commit = await gitIn(["rev-parse", heads[0] ?? ""]);
  await gitIn(["update-ref", "--no-deref", "HEAD", commit]);
  await gitIn(["bundle", "create", "--quiet", file, "HEAD", ...further, `^${base}`]);
  return file;
}

function gitIn(
  args: readonly string[],
  input: string | Buffer = "",
  gitDir = path.join(source, ".git"),
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: "A",
      GIT_AUTHOR_EMAIL: "a@example.org",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a@example.org",
    };
    const all = ["-c", "safe.directory=*", `--git-dir=${gitDir}`, ...args];
    const child = execFile("git", all, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
      error === null ? resolve(stdout.replace(/\n$/, "")) : reject(error),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

import { link, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureCache, fetchTarget } from "./cache.ts";
import { createClone } from "./clone.ts";
import {
  DEFAULT_HANDOVER_LIMITS,
  importBundle,
  type Handover,
  type HandoverLimits,
} from "./import-bundle.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";
import {
  handoverScript,
  parseHandover,
  parseUpdate,
  updateScript,
  type HandoverOutcome,
  type SandboxCommand,
  type UpdateOutcome,
} from "./sandbox-scripts.ts";

let fx: Fixture;
let root: string;
let cachePath: string;
let clone: string;
let base: string;
let bundleFile: string;
const author = { name: "Kaede 楓", email: "kaede@miyabi.local" };

beforeEach(async () => {
  fx = await openFixture();
  root = await fx.repository();
  cachePath = await ensureCache(fx.git, {
    repositoryId: "r1",
    sourcePath: root,
    cachesDir: path.join(fx.dir, "caches"),
  });
  base = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit;
  clone = path.join(fx.dir, "clone");
  bundleFile = path.join(fx.dir, "out put.bundle");
  await createClone(fx.git, { cachePath, cloneDir: clone, commit: base, branch: "miyabi/t1", author });
});
afterEach(() => fx.close());

/** Stands for the agent host: runs a script in the clone with almost nothing in its environment. */
async function inSandbox({ argv: [command = "", ...args] }: SandboxCommand) {
  const env = { PATH: fx.git.searchPath, HOME: fx.dir };
  return fx.git.processes.run({ command, args, cwd: clone, env, timeoutMs: 20_000 });
}

async function handOver(from = base): Promise<HandoverOutcome> {
  return parseHandover(
    await inSandbox(handoverScript({ base: from, bundleFile, message: "Left over\n\n-x", author })),
  );
}

async function update(
  commit: string,
  mode: "merge" | "rebase",
  onConflict: "leave" | "abort" = "leave",
): Promise<UpdateOutcome> {
  const params = { commit, base, mode, onConflict, message: "Bring in main", author };
  return parseUpdate(await inSandbox(updateScript(params)));
}

async function take(
  limits: Partial<HandoverLimits> = {},
  protectedPaths: readonly string[] = [],
): Promise<Handover> {
  const all = { ...DEFAULT_HANDOVER_LIMITS, ...limits };
  return importBundle(fx.git, {
    cachePath,
    bundleFile,
    taskId: "t1",
    expectedBase: base,
    limits: all,
    protectedPaths,
  });
}

async function refused(reason: RegExp, ...rest: Parameters<typeof take>): Promise<void> {
  await expect(take(...rest)).rejects.toMatchObject({
    code: "handover.invalid",
    message: expect.stringMatching(reason),
  });
  expect(await fx.person(cachePath, "for-each-ref", "refs/miyabi/tasks")).toBe("");
  expect(await readdir(`${cachePath.replace(/\.git$/, "")}.work`)).toEqual([]);
}

/** Commits an entry that git itself would not make from files. */
async function plant(name: string, mode: string, content: string): Promise<void> {
  const made = await fx.git.text({
    gitDir: path.join(clone, ".git"),
    args: ["hash-object", "-w", "--stdin"],
    input: content,
  });
  const id = mode === "160000" ? base : made.trim();
  const entry = (child: string, childMode: string, type: string): string => `${childMode} ${type} ${child}`;
  const mktree = async (text: string): Promise<string> =>
    (
      await fx.git.text({
        gitDir: path.join(clone, ".git"),
        args: ["mktree", "-z", "--missing"],
        input: text,
      })
    ).trim();
  const parts = name.split("/");
  let tree = await mktree(
    `${entry(id, mode, mode === "160000" ? "commit" : "blob")}\t${parts.pop() ?? ""}\0`,
  );
  for (const part of parts.reverse()) tree = await mktree(`${entry(tree, "040000", "tree")}\t${part}\0`);
  const commit = await fx.person(clone, "commit-tree", tree, "-p", base, "-m", "planted");
  await fx.person(clone, "update-ref", "refs/heads/miyabi/t1", commit);
  await fx.git.text({
    gitDir: path.join(clone, ".git"),
    args: ["bundle", "create", "-q", bundleFile, `${base}..HEAD`],
  });
}

test("commits what is left over as the agent and imports it, twice with the same result", async () => {
  await fx.write(clone, { "a.txt": "1\n2\n3\n4\n", "new 新.txt": "x\ny\n" });
  await rm(path.join(clone, "src/b.txt"));
  await fx.write(clone, { ".git/index.lock": "", ".git/hooks/pre-commit": "#!/bin/sh\nexit 1\n" });
  const outcome = await handOver();
  expect(outcome.outcome).toBe("bundle");
  const handover = await take();
  expect(handover).toMatchObject({ commits: 1, insertions: 3, deletions: 1 });
  expect(handover.changedFiles).toEqual(["a.txt", "new 新.txt", "src/b.txt"]);
  expect(outcome).toEqual({ outcome: "bundle", head: handover.commit });
  expect(await take()).toEqual(handover);
  expect(await fx.person(cachePath, "log", "-1", "--format=%an <%ae>|%s", "refs/miyabi/tasks/t1")).toBe(
    "Kaede 楓 <kaede@miyabi.local>|Left over",
  );
  expect(await handOver()).toEqual(outcome);
});

test("hands over nothing where nothing was changed, and says so where the base was rewritten", async () => {
  expect(await handOver()).toEqual({ outcome: "empty" });
  await fx.person(clone, "commit", "-q", "--amend", "--allow-empty", "-m", "other root");
  expect(await handOver()).toEqual({ outcome: "diverged" });
  await rm(path.join(clone, ".git"), { recursive: true });
  expect((await handOver()).outcome).toBe("failed");
});

test("brings new commits into a clone by merge and by rebase", async () => {
  for (const mode of ["merge", "rebase"] as const) {
    await createClone(fx.git, { cachePath, cloneDir: clone, commit: base, branch: "miyabi/t1", author });
    await fx.write(clone, { "mine.txt": mode });
    await fx.commit(root, { [`theirs-${mode}.txt`]: "x" });
    const target = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit;
    expect((await update(target, mode)).outcome).toBe("updated");
    expect((await update(target, mode)).outcome).toBe("updated");
    expect((await handOver(target)).outcome).toBe("bundle");
    const taken = await importBundle(fx.git, { cachePath, bundleFile, taskId: "t1", expectedBase: target });
    expect(taken.changedFiles).toEqual(["mine.txt"]);
  }
});

test.each(["merge", "rebase"] as const)(
  "leaves a %s's conflict to the agent and takes it once the markers are gone",
  async (mode) => {
    await fx.commit(clone, { "a.txt": "1\nmine\n3\n" });
    await fx.commit(root, { "a.txt": "1\ntheirs\n3\n" });
    const target = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit;
    expect(await update(target, mode, "abort")).toEqual({ outcome: "conflict", files: ["a.txt"] });
    expect(await fx.person(clone, "status", "--porcelain")).toBe("");
    expect(await update(target, mode)).toEqual({ outcome: "conflict", files: ["a.txt"] });
    expect(await update(target, mode)).toEqual({ outcome: "unfinished", files: ["a.txt"] });
    expect(await handOver(target)).toEqual({ outcome: "unfinished", files: ["a.txt"] });
    await writeFile(path.join(clone, "a.txt"), "1\nboth\n3\n");
    expect((await handOver(target)).outcome).toBe("bundle");
    const taken = await importBundle(fx.git, { cachePath, bundleFile, taskId: "t1", expectedBase: target });
    expect(taken).toMatchObject({ changedFiles: ["a.txt"], insertions: 1, deletions: 1 });
  },
);

test("refuses what is not a bundle of one HEAD", async () => {
  await refused(/cannot be opened/);
  await writeFile(bundleFile, "nonsense");
  await refused(/not a bundle/);
  await rm(bundleFile);
  await symlink("/etc/passwd", bundleFile);
  await refused(/symbolic link/);
  await rm(bundleFile);
  await mkdir(bundleFile);
  await refused(/not a regular file/);
  await rm(bundleFile, { recursive: true });
  await fx.git.processes.run({
    command: "mkfifo",
    args: [bundleFile],
    env: { PATH: fx.git.searchPath },
    timeoutMs: 5_000,
  });
  await refused(/not a regular file/);
  await rm(bundleFile);
  await fx.write(fx.dir, { secret: "x" });
  await link(path.join(fx.dir, "secret"), bundleFile);
  await refused(/second name/);
  await rm(bundleFile);
  await fx.commit(clone, { x: "x" });
  await fx.person(clone, "bundle", "create", "-q", bundleFile, `${base}..miyabi/t1`);
  await refused(/HEAD and nothing else/);
  await rm(bundleFile);
  expect((await handOver()).outcome).toBe("bundle");
  await fx.git.processes.run({
    command: "truncate",
    args: ["-s", "-30", bundleFile],
    env: { PATH: fx.git.searchPath },
    timeoutMs: 5_000,
  });
  await refused(/git refuses/);
});

test("refuses work that does not build on the expected base", async () => {
  await fx.person(clone, "switch", "-q", "--orphan", "alone");
  await fx.commit(clone, { x: "x" });
  await fx.person(clone, "bundle", "create", "-q", bundleFile, "HEAD");
  await refused(/does not build on/);
});

test("refuses more than the limits, also where a later commit takes it back", async () => {
  await fx.commit(clone, { "big.txt": "x".repeat(100_000) });
  await fx.person(clone, "rm", "-q", "big.txt");
  await fx.commit(clone, { x: "1", y: "2" });
  expect((await handOver()).outcome).toBe("bundle");
  await refused(/adds 100002 bytes/, { maxNewBytes: 50_000 });
  await refused(/2 commits, more than 1/, { maxCommits: 1 });
  await refused(/changes 2 files, more than 1/, { maxChangedFiles: 1 });
  await refused(/bytes, more than 10/, { maxBundleBytes: 10 });
});

test("refuses protected paths, whether added, changed or deleted", async () => {
  await rm(path.join(clone, "a.txt"));
  await fx.write(clone, { ".github/workflows/ci.yml": "x" });
  expect((await handOver()).outcome).toBe("bundle");
  await refused(/protected path ".github\/workflows\/ci.yml"/, {}, [".GitHub/"]);
  await refused(/protected path "a.txt"/, {}, ["*.txt"]);
});

test.each([
  [".git/config", "100644", "[core]", /git refuses|own directory/],
  ["sub/.GIT/hooks/x", "100755", "x", /git refuses|own directory/],
  ["git~1", "100644", "x", /git refuses|own directory/],
  ["a\\b", "100644", "x", /backslash|git refuses/],
  ["new\nline", "100644", "x", /control character/],
  ["module", "160000", "", /submodule/],
  ["link", "120000", "/etc/passwd", /absolute/],
  ["dir/link", "120000", "../../outside", /leaves the repository/],
  ["link", "120000", "src/../../x", /\.\. after a name|leaves/],
  ["link", "120000", ".git/config", /own directory|git refuses/],
  [".gitattributes", "120000", "x", /git refuses|in place of/],
])("refuses the entry %j of mode %s", async (name, mode, content, reason) => {
  await plant(name, mode, content);
  await refused(reason);
});

test("accepts a link inside the repository", async () => {
  await plant("dir/link", "120000", "../a.txt");
  expect((await take()).changedFiles).toContain("dir/link");
});

test("says that the cache lacks the base, and refuses a strange task id", async () => {
  const params = { cachePath, bundleFile, taskId: "t1", expectedBase: "2".repeat(40) };
  await expect(importBundle(fx.git, params)).rejects.toMatchObject({ code: "not_found" });
  const strange = { ...params, expectedBase: base, taskId: "../x" };
  await expect(importBundle(fx.git, strange)).rejects.toMatchObject({ code: "input.invalid" });
});

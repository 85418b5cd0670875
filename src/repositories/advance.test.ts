import { chmod, lstat, mkdir, readFile, readdir, rm, symlink, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { advanceTarget, type AdvanceOutcome } from "./advance.ts";
import { ensureCache, fetchTarget } from "./cache.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fx: Fixture;
let root: string;
let cachePath: string;
let from: string;
let to: string;
let sourceGitDir: string;

/** A user's repository on `main`, and a commit in the cache that changes files in every way that git knows. */
beforeEach(async () => {
  fx = await openFixture();
  root = await fx.repository("user's 桜 repo", {
    "a.txt": "1\n2\n3\n",
    "src/b.txt": "b\n",
    "gone/deep/x.txt": "x\n",
    swap: "a file\n",
    "tree/y.txt": "y\n",
    "run.sh": "echo\n",
    "unrelated.txt": "u\n",
    ".gitattributes": "*.crlf text eol=crlf\n",
    "win.crlf": "one\n",
    ".gitignore": "ignored*\n",
  });
  sourceGitDir = path.join(root, ".git");
  from = await fx.person(root, "rev-parse", "HEAD");
  cachePath = await ensureCache(fx.git, {
    repositoryId: "r1",
    sourcePath: root,
    cachesDir: path.join(fx.dir, "caches"),
  });
  const other = path.join(fx.dir, "other");
  await fx.person(fx.dir, "clone", "-q", root, other);
  for (const name of ["gone", "swap", "tree"]) await rm(path.join(other, name), { recursive: true });
  await symlink("a.txt", path.join(other, "link"));
  await chmod(path.join(other, "run.sh"), 0o755);
  to = await fx.commit(other, {
    "a.txt": "1\nchanged\n3\n",
    "added/new 新.txt": "new\n".repeat(10_000),
    "swap/inner.txt": "inner\n",
    tree: "now a file\n",
    "win.crlf": "one\ntwo\n",
    '"quoted".txt': "q\n",
  });
  await fetchTarget(fx.git, { cachePath, sourcePath: other, branch: "main" });
});
afterEach(() => fx.close());

const advance = (commit = to, expectedOld = from): Promise<AdvanceOutcome> =>
  advanceTarget(fx.git, { sourceGitDir, branch: "main", expectedOld, commit, cachePath });

const head = (directory = root): Promise<string> => fx.person(directory, "rev-parse", "main");

async function expectAdvanced(directory = root): Promise<void> {
  expect(await head(directory)).toBe(to);
  expect(await fx.person(directory, "status", "--porcelain")).toBe("");
  expect(await fx.person(directory, "diff", "--stat", to)).toBe("");
  expect(await readFile(path.join(directory, "win.crlf"), "utf8")).toBe("one\r\ntwo\r\n");
  await expectNoRests(directory);
}

async function expectNoRests(directory = root): Promise<void> {
  const gitDir = await fx.person(directory, "rev-parse", "--absolute-git-dir");
  expect((await readdir(gitDir)).filter((name) => /lock|miyabi/.test(name))).toEqual([]);
}

async function expectUntouched(
  outcome: AdvanceOutcome,
  reason: string,
  files: readonly string[],
  status: string,
): Promise<void> {
  expect(outcome).toMatchObject({ outcome: "dirty", reason, files });
  expect(await head()).toBe(from);
  expect(await fx.person(root, "status", "--porcelain")).toBe(status);
}

test("advances branch, index and tree of a clean checkout together, with an entry in HEAD's reflog", async () => {
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
  expect(await fx.person(root, "reflog", "-1", "--format=%gs", "HEAD")).toBe("miyabi: merge");
  expect((await lstat(path.join(root, "link"))).isSymbolicLink()).toBe(true);
  expect(await readdir(root)).not.toContain("gone");
  expect(await advance()).toEqual({ outcome: "already" });
});

test("says where the branch has moved or is gone", async () => {
  const now = await fx.commit(root, { z: "z" });
  expect(await advance()).toEqual({ outcome: "moved", now });
  await fx.person(root, "switch", "-q", "--detach");
  await fx.person(root, "branch", "-D", "main");
  expect(await advance()).toEqual({ outcome: "moved", now: null });
  await expect(advance(from, to)).rejects.toMatchObject({ code: "repository.conflict" });
  await expect(advance("main")).rejects.toMatchObject({ code: "input.invalid" });
});

test("moves only the ref where the branch is checked out nowhere, and in a bare repository", async () => {
  await fx.person(root, "switch", "-q", "-c", "elsewhere");
  expect(await advance()).toEqual({ outcome: "advanced" });
  expect(await head()).toBe(to);
  expect(await fx.person(root, "status", "--porcelain")).toBe("");
  const bare = path.join(fx.dir, "bare.git");
  await fx.person(fx.dir, "clone", "-q", "--bare", root, bare);
  await fx.person(bare, "update-ref", "refs/heads/main", from);
  const params = { sourceGitDir: bare, branch: "main", expectedOld: from, commit: to, cachePath };
  expect(await advanceTarget(fx.git, params)).toEqual({ outcome: "advanced" });
  expect(await advanceTarget(fx.git, params)).toEqual({ outcome: "already" });
});

test("advances a linked worktree that has the branch", async () => {
  await fx.person(root, "switch", "-q", "-c", "elsewhere");
  const linked = path.join(fx.dir, "linked");
  await fx.person(root, "worktree", "add", "-q", linked, "main");
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced(linked);
});

test("touches nothing where a tracked file is changed, and its command brings the change over", async () => {
  await writeFile(path.join(root, "unrelated.txt"), "mine\n");
  await fx.write(root, { "loose.txt": "mine" });
  const outcome = await advance();
  await expectUntouched(outcome, "changes", ["unrelated.txt"], "M unrelated.txt\n?? loose.txt");
  await expectNoRests();
  if (outcome.outcome !== "dirty") return;
  const env = {
    PATH: fx.git.searchPath,
    HOME: fx.dir,
    GIT_AUTHOR_NAME: "H",
    GIT_AUTHOR_EMAIL: "h@x",
    GIT_COMMITTER_NAME: "H",
    GIT_COMMITTER_EMAIL: "h@x",
  };
  const pasted = await fx.git.processes.run({
    command: "sh",
    args: ["-c", outcome.command],
    env,
    timeoutMs: 20_000,
  });
  expect(pasted).toMatchObject({ code: 0 });
  expect(await head()).toBe(to);
  expect(await fx.person(root, "status", "--porcelain")).toBe("M unrelated.txt\n?? loose.txt");
  expect(await advance()).toEqual({ outcome: "already" });
});

test("touches nothing where a file that is to change is edited, staged or deleted", async () => {
  await writeFile(path.join(root, "a.txt"), "1\nmine\n3\n");
  await expectUntouched(await advance(), "changes", ["a.txt"], "M a.txt");
  await fx.person(root, "add", "a.txt");
  await expectUntouched(await advance(), "changes", ["a.txt"], "M  a.txt".trim());
  await fx.person(root, "reset", "-q", "--hard");
  await rm(path.join(root, "a.txt"));
  await expectUntouched(await advance(), "changes", ["a.txt"], "D a.txt");
});

test("overwrites no untracked or ignored file, and no file or link in the way of a directory", async () => {
  await fx.write(root, { "added/new 新.txt": "mine" });
  await expectUntouched(await advance(), "untracked", ["added/new 新.txt"], "?? added/");
  await rm(path.join(root, "added"), { recursive: true });
  await writeFile(path.join(root, "added"), "mine");
  await expectUntouched(await advance(), "untracked", ["added"], "?? added");
  await unlink(path.join(root, "added"));
  await mkdir(path.join(fx.dir, "elsewhere"));
  await symlink(path.join(fx.dir, "elsewhere"), path.join(root, "added"));
  await expectUntouched(await advance(), "untracked", ["added"], "?? added");
  await unlink(path.join(root, "added"));
  await writeFile(path.join(root, "tree/ignored.txt"), "mine");
  await expectUntouched(await advance(), "untracked", ["tree/ignored.txt"], "");
  await unlink(path.join(root, "tree/ignored.txt"));
  await fx.write(root, { "added/new 新.txt": "new\n".repeat(10_000) });
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
});

test("waits for an operation in progress and for another git's lock", async () => {
  await writeFile(path.join(sourceGitDir, "MERGE_HEAD"), `${from}\n`);
  expect(await advance()).toMatchObject({
    outcome: "dirty",
    reason: "operation",
    command: expect.stringMatching(/merge --continue/),
  });
  await unlink(path.join(sourceGitDir, "MERGE_HEAD"));
  await writeFile(path.join(sourceGitDir, "index.lock"), "");
  expect(await advance()).toMatchObject({
    outcome: "dirty",
    reason: "locked",
    command: expect.stringMatching(/rm -f .*index\.lock/),
  });
  await unlink(path.join(sourceGitDir, "index.lock"));
  await writeFile(path.join(sourceGitDir, "refs/heads/main.lock"), "");
  await expectUntouched(await advance(), "locked", [], "");
  await writeFile(path.join(sourceGitDir, "refs/heads/main.lock"), `${to}\n`);
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
});

test("leaves files that need a filter, and sparse checkouts, to the person's own git", async () => {
  await fx.write(root, { ".git/info/attributes": "a.txt filter=lfs\n" });
  const outcome = await advance();
  expect(outcome).toMatchObject({ outcome: "dirty", reason: "special", files: ["a.txt"] });
  await rm(path.join(root, ".git/info/attributes"));
  await fx.person(root, "config", "core.sparseCheckout", "true");
  expect(await advance()).toMatchObject({ outcome: "dirty", reason: "special" });
});

/** A `git` that acts as the real one, then at its n-th call does harm and kills the process that advances. */
async function runKilled(call: number, harm: string): Promise<boolean> {
  const bin = path.join(fx.dir, "bin");
  await mkdir(bin, { recursive: true });
  await rm(path.join(bin, "calls"), { force: true });
  const script = `#!/bin/bash
export PATH=${fx.git.searchPath}
here="$(dirname "$0")"
case " $* " in *" upload-pack "*) exec git "$@";; esac
echo x >> "$here/calls"
if [ "$(wc -l < "$here/calls")" = ${call} ]; then
  ${harm}
  kill -9 "$(cat "$here/victim")"
  exit 1
fi
exec git "$@"
`;
  await writeFile(path.join(bin, "git"), script, { mode: 0o755 });
  const url = (name: string): string =>
    JSON.stringify(pathToFileURL(path.join(import.meta.dirname, name)).href);
  const program = `
    import { writeFileSync } from "node:fs";
    import { advanceTarget } from ${url("advance.ts")};
    import { createGit } from ${url("git.ts")};
    import { systemProcessRunner } from ${url("../base/process.ts")};
    writeFileSync(${JSON.stringify(path.join(bin, "victim"))}, String(process.pid));
    const git = createGit({ processes: systemProcessRunner, searchPath: ${JSON.stringify(`${bin}:${fx.git.searchPath}`)} });
    await advanceTarget(git, ${JSON.stringify({ sourceGitDir, branch: "main", expectedOld: from, commit: to, cachePath })});
  `;
  const child = await fx.git.processes.run({
    command: process.execPath,
    args: ["--no-warnings", "--input-type=module-typescript", "-e", program],
    cwd: path.join(import.meta.dirname, "../.."),
    env: { PATH: fx.git.searchPath },
    timeoutMs: 30_000,
  });
  if (child.signal === null && child.code !== 0) throw new Error(child.stderr);
  return child.signal === "SIGKILL";
}

const reset = async (): Promise<void> => {
  await fx.person(root, "reset", "-q", "--hard", from);
  await fx.person(root, "clean", "-fdq");
};

test(
  "finishes after a kill at any of its git calls, before or after the call took effect",
  { timeout: 120_000 },
  async () => {
    let kills = 0;
    for (let call = 1; ; call += 1) {
      if (!(await runKilled(call, call % 2 === 0 ? 'git "$@"' : ":"))) break;
      kills += 1;
      expect((await advance()).outcome).toMatch(/advanced|already/);
      await expectAdvanced();
      await reset();
    }
    expect(kills).toBeGreaterThan(12);
  },
);

/** The worktree, index and lock as an advance leaves them that was killed within its checkout. */
async function leaveHalfWritten(): Promise<void> {
  const journal = ["miyabi-advance", "999999999", "1", from, to, ""].join("\n");
  await writeFile(path.join(sourceGitDir, "index.lock"), journal);
  await fx.write(sourceGitDir, { "miyabi-scratch-old.index": "x", "miyabi-scratch-old/x": "x" });
  await rm(path.join(root, "swap"));
  await unlink(path.join(root, "a.txt"));
  await fx.write(root, {
    "added/new 新.txt": "new\n".repeat(100),
    "swap/inner.txt": "inner\n",
    "win.crlf": "one\r\ntw",
  });
}

test("finishes a tree with missing, truncated and new files", async () => {
  await leaveHalfWritten();
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
});

test("finishes where the index was written, and where also the branch was moved", async () => {
  await leaveHalfWritten();
  await fx.git.text({ gitDir: sourceGitDir, args: ["fetch", "-q", cachePath, to], allowFileTransport: true });
  const env = { GIT_INDEX_FILE: path.join(sourceGitDir, "miyabi-scratch-new.index") };
  await fx.git.text({ gitDir: sourceGitDir, env, args: ["read-tree", to] });
  await writeFile(path.join(sourceGitDir, "index"), await readFile(env.GIT_INDEX_FILE));
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
  await writeFile(
    path.join(sourceGitDir, "index.lock"),
    ["miyabi-advance", "999999999", "1", from, to, ""].join("\n"),
  );
  expect(await advance()).toEqual({ outcome: "already" });
  await expectAdvanced();
});

test("takes a half-written tree back, all but what a person has changed since", async () => {
  await leaveHalfWritten();
  await writeFile(path.join(root, "a.txt"), "mine\n");
  await expectUntouched(await advance(), "changes", ["a.txt"], "M a.txt");
  expect(await readFile(path.join(root, "a.txt"), "utf8")).toBe("mine\n");
  await expectNoRests();
});

test("takes a half-written tree back where the branch shall move to another commit now", async () => {
  await leaveHalfWritten();
  const other = path.join(fx.dir, "other");
  await fx.person(other, "reset", "-q", "--hard", from);
  to = await fx.commit(other, { "win.crlf": "one\ntwo\n", "z.txt": "z\n" });
  await fetchTarget(fx.git, { cachePath, sourcePath: other, branch: "main" });
  expect(await advance()).toEqual({ outcome: "advanced" });
  await expectAdvanced();
  expect((await readdir(root)).sort()).toContain("gone");
});

test("lets a living advance go on", async () => {
  const stat = await readFile(`/proc/${process.ppid}/stat`, "latin1");
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  const journal = ["miyabi-advance", String(process.ppid), ticks, from, to, ""].join("\n");
  await writeFile(path.join(sourceGitDir, "index.lock"), journal);
  await expectUntouched(await advance(), "locked", [], "");
});

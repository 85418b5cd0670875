import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import {
  createClone,
  ensureCache,
  fetchTarget,
  rebaseOnto,
  shareObjects,
  syncMirror,
} from "../../src/repositories/index.ts";
import { openFixture } from "../../src/repositories/repository-fixture.ts";
import { git as bare } from "../github-server/git.ts";
import { labelIssue, openIssue } from "../github-server/people.ts";
import { handleGit } from "../support/git-http-server.ts";
import { startHostedProduct } from "../support/hosted-product.ts";
import { eventually } from "../support/installation.ts";
import { createTestRepository } from "../support/repository.ts";

/* Repositories with Git LFS, with a submodule that nobody can fetch, and with much history. */

const run = promisify(execFile);
const POINTER = `version https://git-lfs.github.com/spec/v1
oid sha256:${"4d7a2146".repeat(8)}
size 12345678
`;
const FILES = {
  "README.md": "A test.\n",
  ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
  "model.bin": POINTER,
  ".gitmodules":
    '[submodule "vendor/private"]\n\tpath = vendor/private\n\turl = https://git.invalid/private.git\n',
};
const LINK = `160000,${"5".repeat(40)},vendor/private`;
const KEPT = [".gitattributes", ".gitmodules", "model.bin", "vendor/private"];
const AUTHOR = { name: "Kaede", email: "kaede@example.com" };

async function fillOdd(directory: string): Promise<void> {
  const { git } = await createTestRepository(directory, FILES);
  await git("update-index", "--add", "--cacheinfo", LINK);
  await git("commit", "--quiet", "--message", "A submodule");
}

test("LFS pointers and an unfetched submodule pass through clone, an agent's commit of everything, and rebase", async () => {
  const fx = await openFixture();
  onTestFinished(() => fx.close());
  const { git, person } = fx;
  const source = path.join(fx.dir, "odd");
  await mkdir(source);
  await fillOdd(source);
  const cachePath = await ensureCache(git, {
    repositoryId: "odd",
    sourcePath: source,
    cachesDir: path.join(fx.dir, "caches"),
  });
  const fetched = { cachePath, sourcePath: source, branch: "main" };
  const base = await fetchTarget(git, fetched);
  const cloneDir = path.join(fx.dir, "clone");
  await createClone(git, { cachePath, cloneDir, commit: base.commit, branch: "miyabi/1", author: AUTHOR });
  expect(await readFile(path.join(cloneDir, "model.bin"), "utf8")).toBe(POINTER);
  expect(await readdir(path.join(cloneDir, "vendor/private"))).toEqual([]);
  expect(await person(cloneDir, "status", "--porcelain")).toBe("");

  const commit = await fx.commit(cloneDir, { "README.md": "A better test.\n" });
  await person(cloneDir, "push", "--quiet", cachePath, "HEAD:refs/miyabi/test/1");
  await writeFile(path.join(source, "other.txt"), "other\n");
  await person(source, "add", "other.txt");
  await person(source, "commit", "--quiet", "--message", "Meanwhile");
  const target = await fetchTarget(git, fetched);
  const rebased = await rebaseOnto(git, {
    cachePath,
    taskId: "T1",
    taskCommit: commit,
    base: base.commit,
    target: target.commit,
  });
  expect(rebased).toMatchObject({ outcome: "rebased" });
  const listed = async (at: string) => person(cachePath, "ls-tree", "-r", at, "--", ...KEPT);
  const before = await listed(base.commit);
  expect(before).toContain("160000 commit 5555");
  for (const at of [commit, "commit" in rebased ? rebased.commit : ""]) expect(await listed(at)).toBe(before);
});

test("the whole product works on a repository with both, without git-lfs, and merges both as they were", async () => {
  const { server, repository, product, close } = await startHostedProduct({
    name: "octo/odd",
    people: { hanako: "write" },
    fill: fillOdd,
  });
  onTestFinished(close);
  const recipe = { implement: [{ write: { path: "NEW.md", content: "new\n" } }, { commit: "docs: new" }] };
  const issue = openIssue(repository, {
    title: "Write a file",
    body: `Please.\n\n\`\`\`miyabi-recipe\n${JSON.stringify({ ...recipe, review: [{ approve: "Good." }] })}\n\`\`\`\n`,
    by: "hanako",
  });
  const before = await bare(repository.gitDir, "ls-tree", "-r", "main", "--", ...KEPT);
  labelIssue(server, issue, { name: "miyabi", by: "hanako" });
  await eventually("it is done", 120_000, async () => {
    const tasks = await product.get<{ items: { state: string }[] }>("/api/tasks");
    return tasks?.items[0]?.state === "done";
  });
  expect(issue.state).toBe("closed");
  expect(await bare(repository.gitDir, "show", "main:NEW.md")).toBe("new");
  expect(await bare(repository.gitDir, "ls-tree", "-r", "main", "--", ...KEPT)).toBe(before);
});

/* MIYABI_TEST_REPOSITORY_MB=1024 takes a minute and three times that much room on the disk. */
const SIZE_MB = Number(process.env["MIYABI_TEST_REPOSITORY_MB"] ?? 48);
const PIECE_MB = 4;
const GOAL_MS = 2_000;

test(`${SIZE_MB} MB of history: the cache shares the mirror's objects, and a second task's clone is there within 2 s`, async () => {
  const fx = await openFixture();
  onTestFinished(() => fx.close());
  const { git } = fx;
  await makeLarge(path.join(fx.dir, "large.git"));
  const server = createServer((request, response) =>
    handleGit(request, response, { root: fx.dir, allow: () => 200 }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/large.git`;
  const mirrorPath = path.join(fx.dir, "mirrors", "large.git");
  const sync = () => syncMirror(git, { mirrorPath, remote: { url, authorization: null }, branch: "main" });
  await sync();
  const cachePath = await ensureCache(git, {
    repositoryId: "large",
    sourcePath: mirrorPath,
    cachesDir: path.join(fx.dir, "caches"),
  });
  await shareObjects(git, { cachePath, from: mirrorPath });
  const start = async (name: string): Promise<string> => {
    await sync();
    const target = await fetchTarget(git, { cachePath, sourcePath: mirrorPath, branch: "main" });
    const cloneDir = path.join(fx.dir, name);
    await createClone(git, {
      cachePath,
      cloneDir,
      commit: target.commit,
      branch: `miyabi/${name}`,
      author: AUTHOR,
    });
    return cloneDir;
  };
  await start("first");
  // Nothing was copied: every pack of the cache is a file of the mirror.
  const packs = path.join(cachePath, "objects", "pack");
  const large = (await readdir(packs)).filter((name) => name.endsWith(".pack"));
  expect(large.length).toBeGreaterThan(0);
  for (const name of large) expect((await stat(path.join(packs, name))).nlink).toBe(2);
  // Of three, since the machine does other things too.
  const tookMs: number[] = [];
  for (const name of ["second", "third", "fourth"]) {
    const from = performance.now();
    await start(name);
    tookMs.push(performance.now() - from);
  }
  const second = path.join(fx.dir, "second");
  expect(await readdir(path.join(second, ".git", "objects", "pack"))).toEqual([]);
  expect(Number(await readFile(path.join(second, "number.txt"), "utf8"))).toBe(SIZE_MB / PIECE_MB - 1);
  expect((await run("git", ["-C", second, "fsck", "--connectivity-only"])).stdout).toBe("");
  expect(Math.min(...tookMs)).toBeLessThan(GOAL_MS);
}, 600_000);

/** Random bytes, so that nothing is compressed away; the newest commit has a small tree. */
async function makeLarge(gitDir: string): Promise<void> {
  await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", gitDir]);
  const settings = ["core.compression=0", "fastimport.unpackLimit=0", "pack.window=0"];
  for (const one of settings) await run("git", [`--git-dir=${gitDir}`, "config", ...one.split("=")]);
  const child = spawn("git", [`--git-dir=${gitDir}`, "fast-import", "--quiet"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(child, "exit");
  const write = async (text: string | Buffer): Promise<void> => {
    if (!child.stdin.write(text)) await once(child.stdin, "drain");
  };
  for (let at = 0; at < SIZE_MB / PIECE_MB; at += 1) {
    await write(
      `commit refs/heads/main\ncommitter H <h@example.com> ${1_700_000_000 + at} +0000\ndata 1\nc\n`,
    );
    await write(`M 100644 inline number.txt\ndata ${String(at).length}\n${at}\n`);
    await write(`M 100644 inline large.bin\ndata ${PIECE_MB * 1_048_576}\n`);
    await write(randomBytes(PIECE_MB * 1_048_576));
    await write("\n");
  }
  child.stdin.end();
  expect((await ended)[0]).toBe(0);
}

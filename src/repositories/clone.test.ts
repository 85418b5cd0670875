import { chmod, mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compactCache, ensureCache, fetchTarget, hasCommit, removeCache, sweepWorkDir } from "./cache.ts";
import { createCheckout, createClone, updateReadOnlyClone } from "./clone.ts";
import { collectClones, removeTree } from "./remove-tree.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fx: Fixture;
let root: string;
let cachePath: string;
let commit: string;
const author = { name: 'Kaede "楓"', email: "kaede@miyabi.local" };

beforeEach(async () => {
  fx = await openFixture();
  root = await fx.repository();
  cachePath = await ensureCache(fx.git, {
    repositoryId: "r1",
    sourcePath: root,
    cachesDir: path.join(fx.dir, "caches"),
  });
  commit = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit;
});
afterEach(() => fx.close());

test("fetches the branch again after it has moved and after it was rewritten", async () => {
  const next = await fx.commit(root, { c: "c" });
  expect(await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).toEqual({
    commit: next,
    treeHash: await fx.person(root, "rev-parse", "HEAD^{tree}"),
  });
  await fx.person(root, "commit", "-q", "--amend", "-m", "rewritten");
  const rewritten = await fx.person(root, "rev-parse", "HEAD");
  expect((await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit).toBe(rewritten);
  expect(await hasCommit(fx.git, cachePath, next)).toBe(true);
});

test("clears a ref's lock that a killed fetch left in the cache", async () => {
  const lock = path.join(cachePath, "refs/miyabi/target/main.lock");
  await writeFile(lock, "");
  const next = await fx.commit(root, { c: "c" });
  expect((await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit).toBe(next);
});

test("says that a branch or a source is gone", async () => {
  const gone = { cachePath, sourcePath: root, branch: "gone" };
  await expect(fetchTarget(fx.git, gone)).rejects.toMatchObject({ code: "repository.unusable" });
  const nowhere = { cachePath, sourcePath: path.join(fx.dir, "nowhere"), branch: "main" };
  await expect(fetchTarget(fx.git, nowhere)).rejects.toMatchObject({ code: "repository.unusable" });
  const bad = { repositoryId: "../x", sourcePath: root, cachesDir: fx.dir };
  await expect(ensureCache(fx.git, bad)).rejects.toMatchObject({ code: "input.invalid" });
});

test("keeps a cache that is there, sweeps rests and removes it whole", async () => {
  const again = await ensureCache(fx.git, {
    repositoryId: "r1",
    sourcePath: root,
    cachesDir: path.join(fx.dir, "caches"),
  });
  expect(again).toBe(cachePath);
  expect(await hasCommit(fx.git, cachePath, commit)).toBe(true);
  expect(await compactCache(fx.git, { cachePath })).toBe(false);
  await sweepWorkDir(fx.git, { cachePath });
  expect(await readdir(path.dirname(cachePath))).toEqual(["r1.git"]);
  await removeCache(fx.git, { cachePath });
  expect(await readdir(path.dirname(cachePath))).toEqual([]);
});

test("makes a clone that works alone on its branch and leads nowhere", async () => {
  const cloneDir = path.join(fx.dir, "sessions", "s1", "clone");
  const params = { cachePath, cloneDir, commit, branch: "miyabi/1-x", author, exclude: ["node_modules/"] };
  await createClone(fx.git, params);
  expect(await fx.person(cloneDir, "status", "--porcelain=v1", "--branch")).toBe("## miyabi/1-x");
  expect(await fx.person(cloneDir, "remote")).toBe("");
  expect(await fx.person(cloneDir, "config", "--local", "user.name")).toBe(author.name);
  expect(await readFile(path.join(cloneDir, ".git/objects/info/alternates"), "utf8")).toBe(
    `${cachePath}/objects\n`,
  );
  await fx.write(cloneDir, { "node_modules/x.js": "x", "a.txt": "new" });
  expect(await fx.person(cloneDir, "status", "--porcelain")).toBe("M a.txt");
  await fx.person(cloneDir, "commit", "-aqm", "work");
  await fx.person(cloneDir, "fsck");
  await createClone(fx.git, params);
  expect(await fx.person(cloneDir, "rev-parse", "HEAD")).toBe(commit);
});

test("makes a detached checkout, and moves a reviewer's clone to another commit", async () => {
  const dir = path.join(fx.dir, "check");
  await createCheckout(fx.git, { cachePath, dir, commit });
  expect(await fx.person(dir, "rev-parse", "--abbrev-ref", "HEAD")).toBe("HEAD");
  expect(await readFile(path.join(dir, "src/b.txt"), "utf8")).toBe("b\n");
  const next = await fx.commit(root, { "src/b.txt": "b2\n" });
  await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" });
  await updateReadOnlyClone(fx.git, { cachePath, cloneDir: dir, commit: next, author });
  expect(await readFile(path.join(dir, "src/b.txt"), "utf8")).toBe("b2\n");
});

test("leaves nothing behind where the commit is unknown or the branch's name is not one", async () => {
  const cloneDir = path.join(fx.dir, "s", "clone");
  const unknown = { cachePath, cloneDir, commit: "1".repeat(40), branch: null, author };
  await expect(createClone(fx.git, unknown)).rejects.toMatchObject({ code: "not_found" });
  expect(await readdir(path.join(fx.dir, "s"))).toEqual([]);
  for (const branch of ["-x", "a..b", "a b", ""])
    await expect(createClone(fx.git, { ...unknown, commit, branch })).rejects.toMatchObject({
      code: "input.invalid",
    });
  const short = { ...unknown, commit: "HEAD" };
  await expect(createClone(fx.git, short)).rejects.toMatchObject({ code: "input.invalid" });
});

test("removes trees without permissions, too deep for a path, and never what a link points to", async () => {
  const directory = path.join(fx.dir, "bad");
  await mkdir(path.join(directory, "closed"), { recursive: true });
  await fx.write(fx.dir, { "precious.txt": "x" });
  await symlink(fx.dir, path.join(directory, "link"));
  await writeFile(path.join(directory, "closed", "-rf\n"), "x");
  await chmod(path.join(directory, "closed"), 0o000);
  const nest = `cd "$1" && i=0 && while [ $i -lt 30 ]; do mkdir ${"d".repeat(200)} && cd ${"d".repeat(200)} && i=$((i+1)); done`;
  const env = { PATH: fx.git.searchPath };
  await fx.git.processes.run({
    command: "bash",
    args: ["-c", nest, "sh", directory],
    env,
    timeoutMs: 10_000,
  });
  await removeTree(fx.git, { directory });
  await removeTree(fx.git, { directory });
  expect(await readdir(fx.dir)).not.toContain("bad");
  expect(await readFile(path.join(fx.dir, "precious.txt"), "utf8")).toBe("x");
});

test("collects the sessions' directories that nobody keeps, but no fresh one", async () => {
  const sessionsDir = path.join(fx.dir, "sessions");
  await fx.write(sessionsDir, { "s1/x": "", "s2/x": "", "s3.removed/x": "" });
  expect(await collectClones(fx.git, { sessionsDir, keep: new Set(["s1"]), minAgeMs: 60_000 })).toEqual([]);
  expect(await collectClones(fx.git, { sessionsDir, keep: new Set(["s1"]), minAgeMs: 0 })).toEqual(["s2"]);
  expect(await readdir(sessionsDir)).toEqual(["s1"]);
  expect(
    await collectClones(fx.git, { sessionsDir: "/nonexistent/x", keep: new Set(), minAgeMs: 0 }),
  ).toEqual([]);
});

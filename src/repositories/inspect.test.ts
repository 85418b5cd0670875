import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../base/index.ts";
import { inspectRepository } from "./inspect.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fx: Fixture;
beforeEach(async () => {
  fx = await openFixture();
});
afterEach(() => fx.close());

async function problem(target: string, branch: string | null = null): Promise<AppError> {
  const error: unknown = await inspectRepository(fx.git, { path: target, branch }).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error("it was accepted");
  expect(error.code).toBe("repository.unusable");
  expect(error.message).toContain(target === "" ? "empty" : path.basename(target));
  expect(error.fix).not.toBeNull();
  return error;
}

test("describes a clean repository with a space, a quote and Japanese in its path", async () => {
  const root = await fx.repository();
  const facts = await inspectRepository(fx.git, { path: path.join(root, "src"), branch: null });
  expect(facts).toMatchObject({ root, gitDir: path.join(root, ".git"), bare: false, branch: "main" });
  expect(facts.commit).toBe(await fx.person(root, "rev-parse", "HEAD"));
  expect(facts.treeHash).toBe(await fx.person(root, "rev-parse", "HEAD^{tree}"));
  expect(facts.checkout).toEqual({
    path: root,
    linked: false,
    clean: true,
    changedFiles: [],
    operation: null,
  });
});

test("accepts a relative path with a leading dash", async () => {
  const root = await fx.repository("-rf");
  const facts = await inspectRepository(fx.git, { path: "-rf", cwd: fx.dir, branch: null });
  expect(facts.root).toBe(root);
});

test("reports changed tracked files, and leaves untracked ones out", async () => {
  const root = await fx.repository();
  await fx.write(root, { "a.txt": "changed", "new file.txt": "x" });
  const { checkout } = await inspectRepository(fx.git, { path: root, branch: null });
  expect(checkout).toMatchObject({ clean: false, changedFiles: ["a.txt"] });
});

test("finds the branch in a linked worktree, and none where it is checked out nowhere", async () => {
  const root = await fx.repository();
  await fx.person(root, "branch", "feature/x");
  expect((await inspectRepository(fx.git, { path: root, branch: "feature/x" })).checkout).toBeNull();
  const linked = path.join(fx.dir, "linked ツリー");
  await fx.person(root, "worktree", "add", "-q", linked, "feature/x");
  const facts = await inspectRepository(fx.git, { path: linked, branch: "feature/x" });
  expect(facts.checkout).toMatchObject({ path: linked, linked: true, clean: true });
  expect(facts.gitDir).toBe(path.join(root, ".git"));
});

test("reports a merge and a rebase in progress", async () => {
  const root = await fx.repository();
  await fx.person(root, "switch", "-q", "-c", "other");
  await fx.commit(root, { "a.txt": "other\n" });
  await fx.person(root, "switch", "-q", "main");
  await fx.commit(root, { "a.txt": "main\n" });
  await fx.person(root, "merge", "other").catch(() => "");
  const merging = await inspectRepository(fx.git, { path: root, branch: "main" });
  expect(merging.checkout?.operation?.name).toBe("merge");
  await fx.person(root, "merge", "--abort");
  await fx.person(root, "rebase", "other").catch(() => "");
  const rebasing = await inspectRepository(fx.git, { path: root, branch: "main" });
  expect(rebasing.checkout).toMatchObject({ clean: false, operation: { name: "rebase", branch: "main" } });
});

test("accepts a bare repository", async () => {
  const root = await fx.repository();
  const bare = path.join(fx.dir, "bare.git");
  await fx.person(fx.dir, "clone", "-q", "--bare", root, bare);
  expect(await inspectRepository(fx.git, { path: bare, branch: null })).toMatchObject({
    root: bare,
    bare: true,
    checkout: null,
  });
});

test("ignores the user's own git configuration and hooks", async () => {
  const root = await fx.repository();
  await fx.person(root, "config", "core.fsmonitor", `touch "${fx.dir}/ran"; false`);
  await inspectRepository(fx.git, { path: root, branch: null });
  await expect(chmod(path.join(fx.dir, "ran"), 0o600)).rejects.toThrow(/ENOENT/);
});

test("says what is wrong with what is no usable repository", async () => {
  expect((await problem(path.join(fx.dir, "nowhere"))).message).toMatch(/does not exist/);
  await writeFile(path.join(fx.dir, "file"), "x");
  expect((await problem(path.join(fx.dir, "file"))).message).toMatch(/is a file/);
  expect((await problem(fx.dir)).message).toMatch(/not a git repository/);
  expect((await problem("")).message).toMatch(/empty/);
  const empty = path.join(fx.dir, "empty");
  await mkdir(empty);
  await fx.person(empty, "init", "-q");
  expect((await problem(empty)).message).toMatch(/no commits/);
  expect((await problem(path.join(empty, ".git"), "main")).message).toMatch(
    /inside a git directory|no commits/,
  );
  const root = await fx.repository("plain");
  expect((await problem(root, "nope")).message).toMatch(/no branch "nope".*main/);
  expect((await problem(root, "--help")).message).toMatch(/no branch/);
  expect((await problem(root, "a..b")).message).toMatch(/no branch/);
  await fx.person(root, "switch", "-q", "--orphan", "fresh");
  expect((await problem(root)).message).toMatch(/no commits yet/);
  await fx.person(root, "switch", "-q", "--detach", "main");
  const detached = await problem(root);
  expect(detached.message).toMatch(/detached HEAD/);
  expect(detached.fix).toMatch(/git -C .*plain' switch main/);
  const shallow = path.join(fx.dir, "shallow");
  await fx.commit(root, { x: "x" });
  await fx.person(fx.dir, "clone", "-q", "--depth=1", "--no-local", "--branch=main", root, shallow);
  expect((await problem(shallow)).message).toMatch(/shallow/);
  const broken = await fx.repository("broken");
  await writeFile(path.join(broken, ".git/config"), "[core\nnonsense");
  expect((await problem(broken)).message).toMatch(/cannot read this repository/);
});

test("refuses a directory without permission, and a repository of another user unless told", async () => {
  const root = await fx.repository("closed");
  if (process.getuid?.() !== 0) {
    await chmod(root, 0o000);
    expect((await problem(root)).message).toMatch(/cannot be read/);
    await chmod(root, 0o700);
    return;
  }
  await fx.git.processes.run({
    command: "chown",
    args: ["-R", "65534", root],
    env: { PATH: fx.git.searchPath },
    timeoutMs: 10_000,
  });
  expect((await problem(root)).message).toMatch(/dubious ownership/);
  expect((await inspectRepository(fx.git, { path: root, branch: null, trustOwner: true })).branch).toBe(
    "main",
  );
});

import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { branchNameFor, keepBranch } from "./branches.ts";
import { ensureCache, fetchTarget } from "./cache.ts";
import { diffOf } from "./diff.ts";
import { findMergedTask } from "./merged.ts";
import { rebaseOnto, type RebaseOutcome } from "./rebase.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fx: Fixture;
let root: string;
let cachePath: string;
let base: string;

beforeEach(async () => {
  fx = await openFixture();
  root = await fx.repository();
  cachePath = await ensureCache(fx.git, {
    repositoryId: "r1",
    sourcePath: root,
    cachesDir: path.join(fx.dir, "caches"),
  });
  base = await fx.person(root, "rev-parse", "HEAD");
  await fx.person(root, "switch", "-q", "-c", "task");
});
afterEach(() => fx.close());

const onMain = async (files: Readonly<Record<string, string>>): Promise<void> => {
  await fx.person(root, "switch", "-q", "main");
  await fx.commit(root, files, "on main");
  await fx.person(root, "switch", "-q", "task");
};

async function rebase(more: Partial<Parameters<typeof rebaseOnto>[1]> = {}): Promise<RebaseOutcome> {
  const taskCommit = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "task" })).commit;
  const target = (await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "main" })).commit;
  return rebaseOnto(fx.git, { cachePath, taskId: "42", taskCommit, base, target, ...more });
}

const log = (commit: string, format: string): Promise<string> =>
  fx.person(cachePath, "log", "--reverse", `--format=${format}`, `refs/miyabi/target/main..${commit}`);

test("keeps commits and authors, adds the trailers to the last, and repeats with the same ids", async () => {
  await fx.commit(root, { "c.txt": "c" }, "one\n\nMiyabi-Task: 7\n");
  await fx.person(root, "-c", "user.name=Kaede 楓", "commit", "-q", "--allow-empty", "-m", "nothing");
  await fx.commit(root, { "d.txt": "d" }, "two");
  await onMain({ "e.txt": "e" });
  const trailers = [{ name: "Miyabi-Reviewed-By", value: "Sakura" }];
  const outcome = await rebase({ trailers });
  expect(outcome).toMatchObject({ outcome: "rebased", commits: 2 });
  if (outcome.outcome !== "rebased") return;
  expect(await log(outcome.commit, "%s|%an|%cn|%(trailers:separator=%x2C)")).toBe(
    "one|Hanako|Miyabi Orchestra|\ntwo|Hanako|Miyabi Orchestra|Miyabi-Task: 42,Miyabi-Reviewed-By: Sakura",
  );
  expect(await fx.person(cachePath, "ls-tree", "--name-only", outcome.commit)).toBe(
    "a.txt\nc.txt\nd.txt\ne.txt\nsrc",
  );
  expect(await rebase({ trailers })).toEqual(outcome);
  expect(await rebase({ trailers, taskCommit: outcome.commit })).toMatchObject({
    outcome: "unchanged",
    commit: outcome.commit,
  });
  await fx.person(cachePath, "fsck", "--strict");
});

test("names the files of a conflict and leaves no ref behind", async () => {
  await fx.commit(root, { "a.txt": "1\nmine\n3\n", "src/b.txt": "mine\n" });
  await onMain({ "a.txt": "1\ntheirs\n3\n", "src/b.txt": "theirs\n" });
  const before = await fx.person(cachePath, "for-each-ref");
  const outcome = await rebase();
  expect(outcome).toMatchObject({ outcome: "conflict", files: ["a.txt", "src/b.txt"] });
  expect(outcome).toMatchObject({ detail: expect.stringMatching(/Merge conflict in a\.txt/) });
  expect((await fx.person(cachePath, "for-each-ref")).split("\n").length).toBeGreaterThanOrEqual(
    before.split("\n").length,
  );
});

test("is empty where the target has it all, and where there is nothing", async () => {
  expect(await rebase()).toEqual({ outcome: "empty" });
  await fx.commit(root, { "a.txt": "same\n" });
  await onMain({ "a.txt": "same\n" });
  expect(await rebase()).toEqual({ outcome: "empty" });
});

test("squashes when told, and always where the work has merges", async () => {
  await fx.commit(root, { "c.txt": "c" }, "one");
  await fx.commit(root, { "d.txt": "d" }, "two");
  await onMain({ "e.txt": "e" });
  const told = await rebase({ squash: true });
  expect(told).toMatchObject({ outcome: "rebased", commits: 1 });
  await fx.person(root, "merge", "-q", "--no-edit", "main");
  await onMain({ "f.txt": "f" });
  const merged = await rebase();
  if (merged.outcome !== "rebased") throw new Error(merged.outcome);
  expect(await log(merged.commit, "%s|%b|%an")).toBe("one|* two\n\nMiyabi-Task: 42\n|Hanako");
  const named = await rebase({ message: "Title" });
  expect(named.outcome === "rebased" && (await log(named.commit, "%s"))).toBe("Title");
});

test("keeps messages in other encodings and strange names of files", async () => {
  await fx.write(root, { 'odd "名"\t.txt': "x" });
  await fx.person(root, "add", "-A");
  await fx.person(root, "-c", "i18n.commitEncoding=EUC-JP", "commit", "-q", "-m", "plain");
  await onMain({ "e.txt": "e" });
  expect((await rebase()).outcome).toBe("rebased");
});

test("says that a commit is unknown, and refuses a trailer of two lines", async () => {
  await expect(rebase({ base: "3".repeat(40) })).rejects.toMatchObject({ code: "not_found" });
  await expect(rebase({ base: "main" })).rejects.toMatchObject({ code: "input.invalid" });
  await fx.commit(root, { x: "x" });
  const trailers = [{ name: "X", value: "a\nMiyabi-Task: 1" }];
  await expect(rebase({ trailers })).rejects.toMatchObject({ code: "input.invalid" });
});

test("shows a diff with counts and commits, cut off at the limit", async () => {
  await fx.commit(root, { "a.txt": "1\n2\n3\n4\n", "bin.dat": "\0\u0001", "新.txt": "x\n" }, "件名");
  await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "task" });
  const head = await fx.person(root, "rev-parse", "HEAD");
  const diff = await diffOf(fx.git, { cachePath, base, head, maxBytes: 100_000 });
  expect(diff.truncated).toBe(false);
  expect(diff.patch).toContain("+++ b/新.txt");
  expect(diff.files).toEqual([
    { path: "a.txt", status: "M", insertions: 1, deletions: 0 },
    { path: "bin.dat", status: "A", insertions: null, deletions: null },
    { path: "新.txt", status: "A", insertions: 1, deletions: 0 },
  ]);
  expect(diff.commits).toMatchObject([
    { commit: head, author: "Hanako", email: "hanako@example.com", subject: "件名" },
  ]);
  const cut = await diffOf(fx.git, { cachePath, base, head, maxBytes: 150 });
  expect(cut).toMatchObject({ truncated: true, files: diff.files });
  expect(cut.patch.endsWith("\n")).toBe(true);
  await expect(diffOf(fx.git, { cachePath, base, head: "4".repeat(40), maxBytes: 10 })).rejects.toMatchObject(
    { code: "process.failed" },
  );
});

test("finds a merged task by its commit and by its trailer, but not by a mention", async () => {
  const find = (taskId: string, commit: string | null = null) =>
    findMergedTask(fx.git, {
      gitDir: path.join(root, ".git"),
      ref: "refs/heads/task",
      taskId,
      commit,
      since: base,
    });
  const mention = await fx.commit(root, { x: "x" }, "talks of\n\nMiyabi-Task: 42 is a trailer\n\nend");
  const merged = await fx.commit(root, { y: "y" }, "work\n\nMiyabi-Task: 421");
  expect(await find("42")).toBeNull();
  expect(await find("421")).toEqual({ commit: merged, by: "trailer" });
  expect(await find("42", mention)).toEqual({ commit: mention, by: "commit" });
  expect(await find("42", "5".repeat(40))).toBeNull();
  const gone = {
    gitDir: path.join(root, ".git"),
    ref: "refs/heads/gone",
    taskId: "42",
    commit: null,
    since: null,
  };
  expect(await findMergedTask(fx.git, gone)).toBeNull();
});

test("keeps work as a branch without moving any, and repeats with the same name", async () => {
  const first = await fx.commit(root, { x: "x" });
  const second = await fx.commit(root, { y: "y" });
  await fetchTarget(fx.git, { cachePath, sourcePath: root, branch: "task" });
  const sourceGitDir = path.join(root, ".git");
  const keep = (commit: string) =>
    keepBranch(fx.git, { cachePath, sourceGitDir, branch: "miyabi/42-x", commit });
  expect(await keep(first)).toBe("miyabi/42-x");
  expect(await keep(second)).toBe("miyabi/42-x-2");
  expect(await keep(second)).toBe("miyabi/42-x-2");
  expect(await keep(first)).toBe("miyabi/42-x");
  await fx.person(root, "branch", "-q", "-D", "miyabi/42-x", "miyabi/42-x-2");
  await fx.person(root, "branch", "miyabi");
  expect(await keep(first)).toBe("miyabi-42-x");
});

test.each([
  ["Fix the login!", "miyabi/t1-fix-the-login"],
  ["ログインを直す", "miyabi/t1"],
  ["ログイン API を直す (v2)", "miyabi/t1-api-v2"],
  ["  ../..//@{x}.lock ~^:?*[\\ ", "miyabi/t1-x-lock"],
  ["Ünïcödé", "miyabi/t1-unicode"],
  ["x".repeat(500), `miyabi/t1-${"x".repeat(48)}`],
  ["", "miyabi/t1"],
])("names the branch of %j", async (title, name) => {
  expect(branchNameFor({ taskId: "t1", title })).toBe(name);
  const strange = branchNameFor({ taskId: "..@{-/ $", title });
  for (const branch of [name, strange]) await fx.person(root, "check-ref-format", "--branch", branch);
});

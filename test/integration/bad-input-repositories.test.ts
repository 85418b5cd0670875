import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle, type TaskFacts } from "../support/task-facts.ts";

/* Repositories and dependencies that cannot be worked with are refused with the command that mends them; the odd ones work. */
const ISSUE = (word: string, before = ""): string => `Write a word.

\`\`\`miyabi-recipe
implement:
${before}  - write: { path: ${word}.txt, content: "${word}\\n" }
  - commit: "feat: ${word}"
review:
  - approve: One word.
\`\`\`
`;
const WAITS = ISSUE("late", "  - wait: 600000\n");

let product: TestInstallation;
let root: string;
beforeAll(async () => {
  product = await createInstallation();
  root = path.join(product.home, "people");
  await mkdir(root);
  product.up();
  await waitUntilIdle(product);
});
afterAll(() => product.destroy());

const at = (...parts: readonly string[]): string => path.join(root, ...parts);
const repository = (name: string): Promise<TestRepository> => createTestRepository(at(name));
const addByCommand = (dir: string, ...flags: readonly string[]) =>
  product.cli("task", "add", "--json", "--repo", dir, "--title", "A word", "--body", ISSUE("word"), ...flags);
const added = async (dir: string, ...flags: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await addByCommand(dir, ...flags);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { id: string }).id;
};
const taskCount = async (): Promise<number> =>
  (await product.get<{ total: number }>("/api/tasks"))?.total ?? Number.NaN;
const explained = async (id: string): Promise<string> => {
  const { code, stdout } = await product.cli("task", "explain", id);
  expect(code).toBe(0);
  return stdout;
};
const drainCoders = async (drain: boolean): Promise<void> => {
  for (const slot of ["kaede", "kaede-2"]) await product.post(`/api/agents/${slot}/drain`, { drain });
};
interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly fix: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}
const problemIn = (stderr: string): Problem => JSON.parse(stderr) as Problem;

interface Unusable {
  readonly what: string;
  /** Makes it and gives its path. */
  readonly make: () => Promise<string>;
  readonly flags?: readonly string[];
  readonly says: RegExp;
  readonly fix: RegExp | null;
}

const UNUSABLE: readonly Unusable[] = [
  {
    what: "a path where nothing is",
    make: async () => at("nowhere at all"),
    says: /nowhere at all does not exist/,
    fix: /^git init '.*nowhere at all'/,
  },
  {
    what: "a file",
    make: async () => {
      await writeFile(at("file.txt"), "");
      return at("file.txt");
    },
    says: /file\.txt is a file/,
    fix: /^cd /,
  },
  {
    what: "a directory that is no repository",
    make: async () => {
      await mkdir(at("plain"));
      return at("plain");
    },
    says: /plain is not a git repository/,
    fix: /git -C .*plain init/,
  },
  {
    what: "a repository without a commit",
    make: async () => {
      const { dir, git } = await repository("unborn");
      await rm(path.join(dir, ".git"), { recursive: true });
      await git("init", "--quiet");
      return dir;
    },
    says: /unborn has no commits yet/,
    fix: /commit --allow-empty -m "First commit"/,
  },
  {
    what: "an empty bare repository",
    make: async () => {
      const { git } = await repository("seed");
      await git("init", "--quiet", "--bare", at("empty.git"));
      return at("empty.git");
    },
    says: /empty\.git has no commits yet/,
    fix: /update-ref HEAD/,
  },
  {
    what: "a branch that has no commit yet",
    make: async () => {
      const { dir, git } = await repository("orphan");
      await git("switch", "--quiet", "--orphan", "fresh");
      return dir;
    },
    says: /current branch "fresh" has no commits yet.*main/,
    fix: /switch main/,
  },
  {
    what: "a detached HEAD without a target branch",
    make: async () => {
      const { dir, git } = await repository("detached");
      await git("switch", "--quiet", "--detach");
      return dir;
    },
    says: /detached HEAD.*main/,
    fix: /switch main/,
  },
  {
    what: "a target branch that is not there",
    make: async () => (await repository("branchless")).dir,
    flags: ["--branch", "release"],
    says: /no branch "release".*main/,
    fix: /switch main/,
  },
  {
    what: "a git directory",
    make: async () => path.join((await repository("inner")).dir, ".git"),
    says: /inside a git directory/,
    fix: /git -C .*inner status/,
  },
  {
    what: "a damaged repository",
    make: async () => {
      const { dir } = await repository("damaged");
      await writeFile(path.join(dir, ".git", "HEAD"), "\0\0\0");
      return dir;
    },
    says: /damaged/,
    fix: /git -C /,
  },
  {
    what: "a repository whose commit is lost",
    make: async () => {
      const { dir } = await repository("lost");
      await rm(path.join(dir, ".git", "objects"), { recursive: true });
      await mkdir(path.join(dir, ".git", "objects"));
      return dir;
    },
    says: /lost/,
    fix: /fsck/,
  },
];

describe("task add for", () => {
  it.each(UNUSABLE)("$what is refused, and adds nothing", async ({ make, flags = [], says, fix }) => {
    const dir = await make();
    const before = await taskCount();
    const { code, stdout, stderr } = await addByCommand(dir, ...flags);
    expect(stdout).toBe("");
    const refusal = problemIn(stderr);
    expect(refusal).toMatchObject({ code: "repository.unusable" });
    expect(refusal.detail).toMatch(says);
    if (fix !== null) expect(refusal.fix).toMatch(fix);
    expect(code).toBe(65);
    expect(await taskCount()).toBe(before);
  });

  it("a relative path or one with a NUL is refused by the API", async () => {
    for (const repositoryPath of ["words", "/tmp/\0"])
      await expect(product.post("/api/tasks", { repositoryPath, title: "A word" })).rejects.toThrow(/: 422 /);
  });
});

interface Odd {
  readonly what: string;
  readonly make: () => Promise<TestRepository>;
  readonly flags?: readonly string[];
}
const ODD: readonly Odd[] = [
  {
    what: "whose path has spaces, quotes and Japanese",
    make: () => repository(`作業 場 (it's "mine") $HOME`),
  },
  {
    what: "that is bare",
    make: async () => {
      const { dir, git } = await repository("bare-source");
      await git("clone", "--quiet", "--bare", dir, at("bare.git"));
      return { dir: at("bare.git"), git: (...args) => git("-C", at("bare.git"), ...args) };
    },
  },
  {
    what: "with a detached HEAD and a target branch",
    make: async () => {
      const made = await repository("detached-but-told");
      await made.git("switch", "--quiet", "--detach");
      return made;
    },
    flags: ["--branch", "main"],
  },
  {
    what: "given by a directory inside it",
    make: async () => {
      const { dir, git } = await repository("outer");
      await mkdir(path.join(dir, "inside"));
      return { dir: path.join(dir, "inside"), git };
    },
  },
];

describe("a repository", () => {
  it.each(ODD)("$what is worked on to the merge", async ({ make, flags = [] }) => {
    const { dir, git } = await make();
    const task = await waitForTask(product, await added(dir, ...flags), hasEnded);
    expect(task).toMatchObject({ state: "done" });
    expect(await git("show", "main:word.txt")).toBe("word\n");
    expect((await git("rev-parse", "main")).trim()).toBe(task.mergeCommit);
  });

  it("with a person's changes in the way keeps them; the task waits with the command, which moves it", async () => {
    const { dir, git } = await repository("dirty");
    await writeFile(path.join(dir, "README.md"), "Mine.\n");
    await writeFile(path.join(dir, "word.txt"), "mine too\n");
    const id = await added(dir);
    const task = await waitForTask(product, id, (one) => one.waitsFor === "person");
    expect(task).toMatchObject({ state: "delivered", reason: { code: "target.changes" } });
    expect(task.reason?.message).toContain(`uncommitted changes in ${dir}: README.md`);
    const why = await explained(id);
    expect(why).toMatch(/git -C .*dirty.* stash push/);
    expect(await readFile(path.join(dir, "README.md"), "utf8")).toBe("Mine.\n");
    await git("stash", "push", "--quiet", "--include-untracked");
    await waitForTask(product, id, ({ state }) => state === "done");
    expect(await readFile(path.join(dir, "word.txt"), "utf8")).toBe("word\n");
    expect(await git("show", "stash@{0}:README.md")).toBe("Mine.\n");
  });

  it("that is gone when the work begins is named by explain; back again, the task goes on to done", async () => {
    const { dir, git } = await repository("gone-at-first");
    await drainCoders(true);
    const id = await added(dir);
    await rename(dir, `${dir}.away`);
    await drainCoders(false);
    const stuck = await waitForTask(product, id, ({ waitsFor }) => waitsFor === "retry");
    expect(stuck.runs.at(-1)?.state).not.toBe("succeeded");
    expect(await explained(id)).toMatch(/gone-at-first (cannot be read|does not exist)/);
    await rename(`${dir}.away`, dir);
    const done: TaskFacts = await waitForTask(product, id, hasEnded);
    expect(done).toMatchObject({ state: "done", mergeCommit: (await git("rev-parse", "main")).trim() });
  });

  it("that is gone when its change is merged is named by explain, holds no other, and gets its change when it is back", async () => {
    const { dir, git } = await repository("gone-at-last");
    const id = await added(dir, "--body", ISSUE("word", "  - wait: 1500\n"));
    await waitForTask(product, id, ({ state }) => state === "running");
    await eventually("the agent works in its clone", 20_000, () =>
      access(path.join(product.home, "sessions", `${id}-code`, "clone", ".git")).then(
        () => true,
        () => false,
      ),
    );
    await rename(dir, `${dir}.away`);
    const other = await repository("still-there");
    const beside = await added(other.dir);
    expect(await waitForTask(product, id, ({ waitsFor }) => waitsFor === "person")).toMatchObject({
      state: "delivered",
      reason: { code: "repository.unusable" },
    });
    expect(await explained(id)).toMatch(/gone-at-last (cannot be read|does not exist)/);
    expect(await waitForTask(product, beside, hasEnded)).toMatchObject({ state: "done" });
    await rename(`${dir}.away`, dir);
    const done = await waitForTask(product, id, ({ state }) => state === "done");
    expect(done.mergeCommit).toBe((await git("rev-parse", "main")).trim());
  });
});

describe("dependencies", () => {
  let dir: string;
  let first: string;
  let second: string;
  let third: string;
  beforeAll(async () => {
    dir = (await repository("graph")).dir;
    first = await added(dir, "--body", WAITS);
    second = await added(dir, "--depends-on", first);
    third = await added(dir, "--depends-on", `${first},${second}`, "--body", ISSUE("third"));
    await waitForTask(product, first, ({ state }) => state === "running");
  });

  it("on a task that does not exist are refused, when added and later, and change nothing", async () => {
    const before = await taskCount();
    const refused = await addByCommand(dir, "--depends-on", "T999");
    expect(refused.code).toBe(66);
    expect(problemIn(refused.stderr)).toMatchObject({ code: "not_found" });
    expect(problemIn(refused.stderr).detail).toContain("T999");
    expect(await taskCount()).toBe(before);
    const later = await product.cli("task", "depend", second, "--on", "T999", "--json");
    expect(later.code).toBe(66);
    expect(await explained(second)).toContain(first);
  });

  it("that are no ids are an error of usage, at the API one of input", async () => {
    const refused = await addByCommand(dir, "--depends-on", "first");
    expect(refused.code).toBe(64);
    expect(problemIn(refused.stderr).detail).toMatch(/T12/);
    const body = { repositoryPath: dir, title: "A word", dependsOn: ["first"] };
    await expect(product.post("/api/tasks", body)).rejects.toThrow(/: 422 .*dependsOn/);
  });

  it("in a circle are refused with its path, by command and by API, and the graph stays as it was", async () => {
    const path = [second, third, second];
    const refused = await product.cli("task", "depend", second, "--on", third, "--json");
    expect(refused.code).toBe(65);
    expect(problemIn(refused.stderr)).toMatchObject({ code: "dependency.cycle", details: { path } });
    expect(problemIn(refused.stderr).detail).toContain(path.join(" → "));
    await expect(
      product.post(`/api/tasks/${second}/dependencies`, { dependsOn: [first, third] }),
    ).rejects.toThrow(/422 .*dependency\.cycle/);
    const itself = await product.cli("task", "depend", third, "--on", third, "--json");
    expect(problemIn(itself.stderr)).toMatchObject({
      code: "dependency.cycle",
      details: { path: [third, third] },
    });
    for (const id of [second, third]) expect(await explained(id)).toContain(first);
  });

  it("cannot be changed any more once the task has started", async () => {
    const late = await product.cli("task", "depend", first, "--on", second, "--json");
    expect(late.code).toBe(65);
    expect(["conflict.state", "dependency.cycle"]).toContain(problemIn(late.stderr).code);
  });

  it("on a task that was cancelled hold what depends on it, explain says so, and without it all are done", async () => {
    expect((await product.cli("task", "cancel", first)).code).toBe(0);
    await waitForTask(product, first, ({ state }) => state === "cancelled");
    expect(await explained(third)).toMatch(new RegExp(`${first}.*cancelled`));
    expect((await product.cli("task", "depend", second, "--on", "")).code).toBe(0);
    expect((await product.cli("task", "depend", third, "--on", second)).code).toBe(0);
    for (const id of [second, third])
      expect(await waitForTask(product, id, hasEnded)).toMatchObject({ state: "done" });
  });
});

import { mkdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClone } from "./clone.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";
import { parseRestored, restoreInstructionsScript } from "./restore-instructions.ts";
import { handoverScript, parseHandover, type SandboxCommand } from "./sandbox-scripts.ts";

let fixture: Fixture;
let clone: string;
let base: string;
const author = { name: "Kaede", email: "kaede@example.org" };

beforeEach(async () => {
  fixture = await openFixture();
  const source = await fixture.repository("r", {
    "CLAUDE.md": "be careful\n",
    "AGENTS.md": "old\n",
    ".claude/settings.json": '{"a":1}\n',
    "docs/GEMINI.md": "tea\n",
    "a.txt": "1\n",
  });
  base = await fixture.person(source, "rev-parse", "HEAD");
  clone = path.join(fixture.dir, "clone");
  const cachePath = path.join(source, ".git");
  await createClone(fixture.git, { cachePath, cloneDir: clone, commit: base, branch: "work", author });
});
afterEach(() => fixture.close());

async function inSandbox({ argv: [command = "", ...args] }: SandboxCommand) {
  const env = { PATH: fixture.git.searchPath, HOME: fixture.dir };
  return fixture.git.processes.run({ command, args, cwd: clone, env, timeoutMs: 20_000 });
}
const restore = async (): Promise<readonly string[]> =>
  parseRestored(await inSandbox(restoreInstructionsScript({ trusted: base })));
const read = (file: string): Promise<string | null> =>
  readFile(path.join(clone, file), "utf8").catch(() => null);

test("what an agent wrote does not instruct its next turn, whether committed, added, ignored or removed", async () => {
  await fixture.person(clone, "rm", "-q", "AGENTS.md", "docs/GEMINI.md");
  await fixture.commit(clone, {
    "CLAUDE.md": "obey the issue\n",
    ".claude/hooks.json": "{}\n",
    ".gitignore": "deep/\n",
    "a.txt": "2\n",
  });
  await fixture.write(clone, { "deep/CLAUDE.md": "obey\n", "src/.cursorrules": "obey\n", "b.txt": "new\n" });
  const head = await fixture.person(clone, "rev-parse", "HEAD");
  for (let time = 0; time < 2; time += 1) {
    const restored = await restore();
    expect([...restored].sort()).toEqual([".claude/hooks.json", "CLAUDE.md", "src/.cursorrules"]);
    expect(
      await Promise.all(
        ["CLAUDE.md", "AGENTS.md", "docs/GEMINI.md", ".claude/settings.json", "a.txt", "b.txt"].map(read),
      ),
    ).toEqual(["be careful\n", "old\n", "tea\n", '{"a":1}\n', "2\n", "new\n"]);
    expect(await Promise.all([".claude/hooks.json", "deep/CLAUDE.md", "src/.cursorrules"].map(read))).toEqual(
      [null, null, null],
    );
  }
  expect(await fixture.person(clone, "rev-parse", "HEAD")).toBe(head);
});

test("commits keep what the task is about: the next one changes nothing of the instructions", async () => {
  await fixture.person(clone, "rm", "-q", "AGENTS.md");
  await fixture.commit(clone, { "CLAUDE.md": "new rules\n" });
  await fixture.write(clone, { "docs/GEMINI.md": "not committed yet\n" });
  await restore();
  await fixture.write(clone, { "a.txt": "3\n" });
  const bundleFile = path.join(fixture.dir, "out.bundle");
  const handed = parseHandover(
    await inSandbox(handoverScript({ base, bundleFile, message: "Left over", author })),
  );
  expect(handed.outcome).toBe("bundle");
  const show = (file: string) => fixture.person(clone, "show", `HEAD:${file}`).catch(() => null);
  expect(await Promise.all(["CLAUDE.md", "AGENTS.md", "docs/GEMINI.md", "a.txt"].map(show))).toEqual([
    "new rules",
    null,
    "not committed yet",
    "3",
  ]);
});

test("a file in conflict stays as it is, for its agent to solve", async () => {
  await fixture.commit(clone, { "CLAUDE.md": "ours\n", "AGENTS.md": "ours\n" });
  await fixture.person(clone, "checkout", "-q", "-b", "other", base);
  await fixture.commit(clone, { "CLAUDE.md": "theirs\n" });
  await fixture.person(clone, "checkout", "-q", "work");
  await fixture.person(clone, "merge", "-q", "other").catch(() => null);
  await restore();
  expect(await read("CLAUDE.md")).toContain("<<<<<<<");
  expect(await read("AGENTS.md")).toBe("old\n");
});

test("a clone that git cannot read is no clone to go on in, and a directory in a file's place is no obstacle", async () => {
  await rm(path.join(clone, "CLAUDE.md"));
  await mkdir(path.join(clone, "CLAUDE.md"));
  await fixture.write(clone, { "CLAUDE.md/x": "obey\n" });
  await restore();
  expect((await stat(path.join(clone, "CLAUDE.md"))).isFile()).toBe(true);
  await rm(path.join(clone, ".git", "HEAD"));
  await expect(restore()).rejects.toMatchObject({ code: "repository.unusable" });
});

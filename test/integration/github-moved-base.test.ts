import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { pushTo } from "../github-server/changes.ts";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* A base branch that is rewritten: what was taken out of it does not come back with a pull request. */

/** The base has a second commit with a secret, which is taken out again by force. */
async function setup(policy: "when-green" | "when-approved" = "when-green") {
  const scenario = await setupGitHub({ policy });
  const { git, gitDir, repository, server, clock, work } = scenario;
  const bare = async (...args: readonly string[]): Promise<string> =>
    (await git(`--git-dir=${gitDir}`, ...args)).stdout.trim();
  const clean = (await headOf(gitDir, "main")) ?? "";
  await git("checkout", "--quiet", "main");
  await writeFile(path.join(work, "secret.txt"), "swordfish\n");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "The secret is swordfish");
  await git("push", "--quiet", gitDir, "main");
  await git("push", "--quiet", gitDir, "main:refs/heads/kept");
  const place = { state: server.state, repository };
  return {
    ...scenario,
    bare,
    /** Somebody rewrites the branch: a commit with this menu stands where the secret stood. */
    rewrite: async (menu: string): Promise<void> => {
      await git("checkout", "--quiet", "-B", "rewritten", clean);
      await writeFile(path.join(work, "menu.txt"), menu);
      await git("commit", "--quiet", "--allow-empty", "--all", "--message", "Nothing to see");
      await git("push", "--quiet", gitDir, "rewritten:refs/heads/rewritten");
      const made = await bare("rev-parse", "rewritten");
      await pushTo(place, "main", made);
      clock.advance(61_000);
    },
    restore: async (): Promise<void> => {
      await pushTo(place, "main", await bare("rev-parse", "kept"));
      clock.advance(61_000);
    },
  };
}

test.each(["while an agent works", "while the pull request is open"])(
  "a base that is force-pushed %s: the work is put onto the new one, and what was taken out does not come back",
  async (when) => {
    const { openIssue, settle, agents, pulls, task, rewrite, bare } = await setup();
    openIssue({ labelledBy: "hanako" });
    await settle();
    if (when === "while an agent works") {
      // It begins before, and hands its work over after.
      await agents();
      await rewrite("tea\n");
    } else {
      await agents();
      await settle();
      expect(pulls()).toHaveLength(1);
      await rewrite("tea\n");
    }
    for (let round = 0; round < 3; round += 1) {
      await settle();
      await agents();
    }
    expect(await task()).toMatchObject({ state: "done" });
    expect(pulls()).toHaveLength(1);
    for (const branch of ["main", pulls()[0]?.pull?.head ?? ""]) {
      expect(await bare("log", "--format=%s", branch)).not.toContain("swordfish");
      expect(await bare("log", "--format=%s", branch)).toContain("Nothing to see");
      expect(await bare("ls-tree", "--name-only", branch)).toBe("menu.txt");
    }
    expect(await bare("show", "main:menu.txt")).toBe("tea 1");
  },
);

test("where the work conflicts with the rewritten base a person is asked, and it goes on by itself when the base is back", async () => {
  const { openIssue, settle, agents, task, rewrite, restore } = await setup("when-approved");
  openIssue({ labelledBy: "hanako" });
  await settle();
  await agents();
  await settle();
  await rewrite("coffee\n");
  await settle();
  await settle();
  expect(await task()).toMatchObject({
    waits_for: "person",
    reason: {
      code: "base.rewritten",
      message: expect.stringContaining("conflicts with it in menu.txt") as string,
    },
  });
  await restore();
  await settle();
  await settle();
  expect(await task()).toMatchObject({ state: "delivered", reason: { code: "merge.awaiting_approval" } });
});

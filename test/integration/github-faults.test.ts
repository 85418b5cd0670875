import { expect, test } from "vitest";
import type { FaultKind } from "../github-server/faults.ts";
import { git } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* Whatever goes wrong with a request: the product goes on by itself, and each effect is seen once. */

const REQUESTS: readonly (readonly [string, RegExp])[] = [
  ["GET", /\/issues$/],
  ["POST", /^\/graphql$/],
  ["GET", /\/permission$/],
  ["POST", /\/issues\/\d+\/labels$/],
  ["DELETE", /\/issues\/\d+\/labels\//],
  ["GET", /\/issues\/\d+\/comments$/],
  ["POST", /\/issues\/\d+\/comments$/],
  ["PATCH", /\/issues\/comments\/\d+$/],
  ["POST", /\/pulls$/],
  ["GET", /\/pulls\/\d+$/],
  ["GET", /\/check-runs$/],
  ["PUT", /\/merge$/],
];
const ROUNDS = 40;

const KINDS: Readonly<Record<FaultKind, string>> = {
  before: "the connection is reset before anything happens",
  after: "the connection is reset after it happened",
  hang: "no answer comes, and nothing happened",
  "hang-after": "no answer comes, and it happened",
  cut: "half of the answer comes",
  "cut-clean": "half of the answer comes, with a good end",
  "500": "a server error, and nothing happened",
  "502": "a page of a proxy, and it happened",
  "429": "too many requests",
  secondary: "a secondary limit, with the time to wait",
  abuse: "a secondary limit, without it",
};

for (const [when, what] of Object.entries(KINDS) as [FaultKind, string][])
  test(`${what}: at each request once, and still one comment, one pull request and one merge`, async () => {
    const scenario = await setupGitHub({ policy: "when-green", timeoutMs: 1_000 });
    const { openIssue, settle, agents, check, task, pulls, server, clock, gitDir, database } = scenario;
    server.state.faults.push(...REQUESTS.map(([method, path]) => ({ method, path, when, times: 1 })));
    const issue = openIssue({ labelledBy: "hanako" });
    const isOver = async (): Promise<boolean> =>
      (await task())?.state === "done" && issue.comments.at(-1)?.body.startsWith("**done**") === true;
    for (let round = 0; round < ROUNDS && !(await isOver()); round += 1) {
      await settle();
      await agents();
      if (pulls().length > 0) await check("success", "");
      // A wait that was asked for is over.
      clock.advance(61_000);
    }
    expect(await task()).toMatchObject({ state: "done" });
    expect(server.state.faults.filter(({ times }) => times > 0)).toEqual([]);
    expect(pulls()).toHaveLength(1);
    expect(issue.comments).toHaveLength(1);
    expect(issue.comments[0]?.body).toMatch(/^\*\*done\*\*/);
    expect(issue.labels.toSorted()).toEqual(["miyabi", "miyabi:delivered"]);
    expect((await git(gitDir, "rev-list", "--count", "main")).trim()).toBe("2");
    const { rows } = await database.query("select kind, error from miyabi.outbox where state = 'dead'");
    expect(rows).toEqual([]);
  });

test("deliveries that break off are refused, and the poll finds what they were about", async () => {
  const { openIssue, deliver, settle, database } = await setupGitHub({ webhooks: true });
  openIssue({ labelledBy: "hanako" });
  expect(new Set(await deliver({ truncated: true }))).toEqual(new Set([401]));
  await settle();
  await settle();
  const { rows } = await database.query("select state from miyabi.tasks");
  expect(rows).toEqual([{ state: "ready" }]);
});

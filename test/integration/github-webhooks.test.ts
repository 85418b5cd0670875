import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { send, type Hook } from "../github-server/deliveries.ts";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* What GitHub tells by itself: stored before the reply, once, and worked through by the way that the poll takes too. */

type Scenario = Awaited<ReturnType<typeof setupGitHub>>;

const hookOf = ({ server }: Scenario): Hook => {
  if (server.state.hook === null) throw new Error("no webhooks");
  return server.state.hook;
};

const stored = async ({ database }: Scenario) =>
  (
    await database.query<{ id: string; event: string; state: string; attempts: number; kept: boolean }>(
      "select id, event, state, attempts, body is not null as kept from miyabi.github_deliveries order by received_at, id",
    )
  ).rows;

const countTasks = async ({ database }: Scenario): Promise<number> =>
  (await database.query("select 1 from miyabi.tasks")).rowCount;

async function post(
  { url, secret }: Hook,
  params: { body?: string; headers?: Record<string, string>; path?: string; method?: string } = {},
): Promise<number> {
  const body = params.body ?? "{}";
  const response = await fetch(params.path === undefined ? url : new URL(params.path, url), {
    method: params.method ?? "POST",
    ...(params.method === "GET" ? {} : { body }),
    headers: {
      "content-type": "application/json",
      "x-github-delivery": "d-1",
      "x-github-event": "ping",
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      ...params.headers,
    },
  });
  await response.arrayBuffer();
  return response.status;
}

test("webhooks alone carry a labelled issue to its merged pull request", async () => {
  const scenario = await setupGitHub({ webhooks: true, policy: "when-green" });
  const { openIssue, deliver, settle, agents, check, task, gitDir } = scenario;
  openIssue({ labelledBy: "hanako" });
  await deliver();
  expect(await task()).toMatchObject({ state: "ready" });
  await agents();
  await settle({ polls: false });
  await check("success", "");
  await deliver();
  await settle({ polls: false });
  await deliver();
  expect(await task()).toMatchObject({ state: "done", merge_commit: await headOf(gitDir, "main") });
  expect((await stored(scenario)).every(({ state, kept }) => state === "done" && !kept)).toBe(true);
});

test("a delivery is stored before it is answered, and known by its id when it comes again", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const hook = hookOf(scenario);
  scenario.openIssue({ labelledBy: "hanako" });
  const [delivery] = hook.pending.splice(1);
  if (delivery === undefined) throw new Error("nothing was told");
  expect(await send(hook, delivery)).toBe(202);
  expect(await stored(scenario)).toMatchObject([{ id: delivery.id, event: "issues", state: "pending" }]);
  expect(await countTasks(scenario)).toBe(0);
  expect(await send(hook, delivery)).toBe(200);
  await scenario.deliveries?.tick();
  expect(await send(hook, delivery)).toBe(200);
  await scenario.deliveries?.tick();
  expect(await stored(scenario)).toMatchObject([{ state: "done", attempts: 1 }]);
  expect(await countTasks(scenario)).toBe(1);
});

test("what is not signed, too large or no delivery is refused, and nothing of it is kept", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const hook = hookOf(scenario);
  expect(await post({ ...hook, secret: "somebody else's secret" })).toBe(401);
  expect(await post(hook, { headers: { "x-hub-signature-256": "sha256=" } })).toBe(401);
  // One byte more than was signed.
  const signature = `sha256=${createHmac("sha256", hook.secret).update("{}").digest("hex")}`;
  expect(await post(hook, { body: "{} ", headers: { "x-hub-signature-256": signature } })).toBe(401);
  expect(await post(hook, { body: JSON.stringify({ text: "x".repeat(6 * 1024 * 1024) }) })).toBe(413);
  expect(await post(hook, { body: "no JSON" })).toBe(400);
  expect(await post(hook, { headers: { "x-github-delivery": "'; drop table" } })).toBe(400);
  expect(await post(hook, { headers: { "content-type": "application/x-www-form-urlencoded" } })).toBe(415);
  expect(await post(hook, { path: "/api/tasks" })).toBe(404);
  expect(await post(hook, { method: "GET" })).toBe(405);
  expect(await stored(scenario)).toEqual([]);
  expect(await post(hook)).toBe(202);
});

test("a webhook and the poll at once make one task", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const hook = hookOf(scenario);
  scenario.openIssue({ labelledBy: "hanako" });
  for (const one of hook.pending.splice(0)) await send(hook, one);
  await Promise.all([scenario.poll?.tick(), scenario.deliveries?.tick()]);
  expect(await countTasks(scenario)).toBe(1);
  expect((await stored(scenario)).map(({ state }) => state)).toEqual(["done", "done"]);
});

test("deliveries that come twice and in the wrong order lead to the same end", async () => {
  const scenario = await setupGitHub({ webhooks: true, policy: "when-green" });
  const { openIssue, deliver, settle, agents, check, task, pulls } = scenario;
  const chaos = { twice: true, reversed: true };
  openIssue({ labelledBy: "hanako" });
  await deliver(chaos);
  await agents();
  await settle({ polls: false });
  await check("success", "");
  await deliver(chaos);
  await settle({ polls: false });
  await deliver(chaos);
  expect(await task()).toMatchObject({ state: "done" });
  expect(await countTasks(scenario)).toBe(1);
  expect(pulls()).toHaveLength(1);
});

test("deliveries that were lost for three days are found by the poll", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const { openIssue, deliver, settle, database } = scenario;
  const closed = openIssue({ labelledBy: "hanako" });
  await deliver();
  await settle();
  const days = 3 * 24 * 3_600_000;
  await database.query(
    "update miyabi.github_repositories set issues_since = now() - interval '3 days', polled_at = now() - interval '3 days'",
  );
  closed.state = "closed";
  closed.updatedAt = Date.now() - days / 2;
  for (let count = 0; count < 3; count += 1) {
    const issue = openIssue({ labelledBy: "hanako" });
    issue.updatedAt = Date.now() - days / (count + 2);
  }
  expect(await deliver({ lost: true })).toEqual([]);
  expect(await countTasks(scenario)).toBe(1);
  await settle();
  const { rows } = await database.query("select state from miyabi.tasks order by number");
  expect(rows).toEqual([{ state: "cancelled" }, { state: "ready" }, { state: "ready" }, { state: "ready" }]);
});

test("a delivery whose process was killed is taken up again, and one that GitHub could not answer later", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const hook = hookOf(scenario);
  const { database, deliveries, server } = scenario;
  scenario.openIssue({ labelledBy: "hanako" });
  const [, delivery] = hook.pending.splice(0);
  if (delivery === undefined) throw new Error("nothing was told");
  await send(hook, delivery);
  // Killed in the middle of it: leased, and nobody there.
  await database.query(
    "update miyabi.github_deliveries set attempts = 1, lease_token = 'gone', lease_expires_at = now() + interval '1 minute'",
  );
  await deliveries?.tick();
  expect(await countTasks(scenario)).toBe(0);
  await database.query("update miyabi.github_deliveries set lease_expires_at = now() - interval '1 second'");
  server.state.faults.push({ method: "GET", path: /\/issues\/1$/, when: "before", times: 1 });
  await deliveries?.tick();
  expect(await stored(scenario)).toMatchObject([{ state: "pending", attempts: 2 }]);
  await database.query("update miyabi.github_deliveries set due_at = now()");
  await deliveries?.tick();
  expect(await stored(scenario)).toMatchObject([{ state: "done", attempts: 3 }]);
  expect(await countTasks(scenario)).toBe(1);
});

test("a delivery that nobody can read ends as a dead letter with its text", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const body = JSON.stringify({ issue: "twelve", repository: { full_name: "octo/menu" } });
  expect(await post(hookOf(scenario), { body, headers: { "x-github-event": "issues" } })).toBe(202);
  await scenario.deliveries?.tick();
  expect(await stored(scenario)).toMatchObject([{ state: "dead", kept: true }]);
});

const require = createRequire(import.meta.url);

interface Recorded {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

test("every payload that GitHub's users recorded goes through intake, and only a labelled issue starts", async () => {
  const scenario = await setupGitHub({ webhooks: true });
  const hook = hookOf(scenario);
  const recorded = require("@octokit/webhooks-examples") as readonly Recorded[];
  // The issues that the recordings speak of; one of them is ours to do.
  for (let number = 1; number <= 12; number += 1)
    scenario.openIssue(number === 1 ? { labelledBy: "hanako" } : {});
  hook.pending.splice(0);
  const statuses = new Set<number>();
  let sent = 0;
  for (const { name, examples } of recorded)
    for (const example of examples) {
      sent += 1;
      const payload =
        example["repository"] === undefined
          ? example
          : { ...example, repository: { ...(example["repository"] as object), full_name: "Octo/Menu" } };
      statuses.add(await send(hook, { id: `recorded-${sent}`, event: name, payload }));
    }
  expect(sent).toBeGreaterThan(250);
  expect([...statuses]).toEqual([202]);
  await scenario.deliveries?.tick();
  const { rows } = await scenario.database.query(
    "select state, event, error, count(*)::int as count from miyabi.github_deliveries where state <> 'done' group by 1, 2, 3",
  );
  expect(rows).toEqual([]);
  expect(await countTasks(scenario)).toBe(1);
});

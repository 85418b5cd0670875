import { expect, test } from "vitest";
import { createFakeClock, createSeededRandom, type Random } from "../base/index.ts";
import { RESULT, successOf } from "./decide-fixture.ts";
import type { TaskHappening } from "./decide.ts";
import { because } from "./reasons.ts";
import type { ClaimedRun, Fenced } from "./run-service.ts";
import { QUEUES, setupTasks, type TasksBundle } from "./tasks-fixture.ts";

const TASKS = 200;
const MAX_ROUNDS = 400;

interface World extends TasksBundle {
  readonly random: Random;
  /** Runs that a worker holds, or believes to hold. */
  readonly held: ClaimedRun[];
  /** Commits that each task was merged as. */
  readonly merges: Map<string, string[]>;
  /** Cleared for the last part, in which nothing goes wrong any more. */
  calm: boolean;
  commits: number;
  happenings: Map<string, number>;
}

class Crash extends Error {}

const chance = ({ random, calm }: World, share: number): boolean => !calm && random.fraction() < share;
const pick = <T>({ random }: World, list: readonly T[]): T | undefined =>
  list[Math.floor(random.fraction() * list.length)];

function count(world: World, what: string): void {
  world.happenings.set(what, (world.happenings.get(what) ?? 0) + 1);
}

/** Trouble by chance, counted; the first opportunity is always taken, so that no kind is left out of a simulation. */
function strikes(world: World, what: string, share: number): boolean {
  const isFirst = !world.calm && !world.happenings.has(what);
  if (!isFirst && !chance(world, share)) return false;
  count(world, what);
  return true;
}

/** Does a happening, or dies right before the commit and does it again after the restart. */
async function happen(world: World, taskId: string, happening: TaskHappening): Promise<void> {
  if (strikes(world, "crash", 0.1)) {
    const crashed = world.database.transaction(async (tx) => {
      await world.tasks.happenIn(tx, taskId, () => happening);
      throw new Crash();
    });
    await expect(crashed).rejects.toThrow(Crash);
  }
  await world.tasks.happen(taskId, happening);
}

async function addTasks(world: World): Promise<void> {
  const ids: string[] = [];
  for (let index = 0; index < TASKS; index += 1) {
    const dependsOn = [pick(world, ids), pick(world, ids)].filter((id) => id !== undefined);
    const isFree = world.random.fraction() < 0.5;
    const dueAt = new Date(Date.UTC(2026, 0, 1 + Math.floor(world.random.fraction() * 60)));
    ids.push(await world.add({ title: `Task ${index}`, dueAt, dependsOn: isFree ? [] : dependsOn }));
  }
}

/** A worker takes a run, most wanted from one queue. */
async function claim(world: World): Promise<void> {
  const wanted = pick(world, QUEUES) ?? "code";
  const run = await world.runs.claim({ slot: "kaede", queues: [wanted, ...QUEUES], leaseMs: 60_000 });
  if (run !== null) world.held.push(run);
}

/** Ends one held run somehow. What is said twice, or late, must change nothing. */
async function end(world: World): Promise<void> {
  const index = Math.floor(world.random.fraction() * world.held.length);
  const [run] = world.held.splice(index, 1);
  if (run === undefined) return;
  const { rows } = await world.database.query<{ step: string }>(
    "select step from miyabi.runs where id = $1",
    [run.runId],
  );
  const step = rows[0]?.step ?? "";
  if (strikes(world, "lost", 0.15)) {
    await world.runs.lose(run, because("lease.expired", "It was silent."));
    const late = await world.runs.finish(run, { ...RESULT, ...successOf(step) });
    expect(late).toBe("lost");
    return;
  }
  const first = await world.runs.finish(run, resultOf(world, step));
  const again: Fenced = await world.runs.finish(run, { ...RESULT, ...successOf(step) });
  expect(again).toBe(first === "recorded" ? "already" : "lost");
}

function resultOf(world: World, step: string): typeof RESULT {
  if (strikes(world, "failed", 0.12)) {
    return { ...RESULT, outcome: "failed", code: "agent.exited", message: "It ended." };
  }
  if (strikes(world, "quota", 0.05)) {
    return { ...RESULT, outcome: "quota", message: "Limit reached." };
  }
  if ((step === "check" || step === "merge") && strikes(world, "check failed", 0.25)) {
    return { ...RESULT, outcome: "failed", code: "check.failed", message: "exit 1", log: "1 ≠ 2" };
  }
  if (step === "review" && strikes(world, "changes", 0.75)) {
    return { ...RESULT, verdict: "changes", notes: "Mend it." };
  }
  world.commits += 1;
  return { ...RESULT, ...successOf(step, `head-${world.commits}`) };
}

/** One round of a merge queue that may die between any two of its transactions, and of people who cancel meanwhile. */
async function merge(world: World): Promise<void> {
  const { rows } = await world.database.query<{
    id: string;
    data: { candidate?: string; checked?: string; publishing?: boolean };
  }>(
    `select t.id, s.data from miyabi.steps s join miyabi.tasks t on t.id = s.task_id and t.current_step = s.name
     where s.kind = 'merge' and s.state in ('running', 'waiting') and t.state in ('ready', 'running', 'delivered')
       and not exists (select 1 from miyabi.runs r where r.task_id = t.id and r.state in ('queued', 'leased', 'running'))`,
  );
  for (const { id, data } of rows) {
    const { candidate } = data;
    if (candidate === undefined || (data.publishing !== true && data.checked !== candidate)) {
      await happen(world, id, { type: "merge-started" });
      if (chance(world, 0.1)) continue;
      if (strikes(world, "conflict", 0.2)) {
        await happen(world, id, { type: "merge-conflict", base: "b", files: ["a.ts"] });
        continue;
      }
      world.commits += 1;
      const commit = `merge-${world.commits}`;
      await happen(world, id, { type: "merge-candidate", base: "b", commit, tree: "t", needsCheck: true });
      continue;
    }
    if (data.publishing !== true && strikes(world, "cancelled", 0.1)) {
      await happen(world, id, { type: "cancel", by: "mari", note: "" });
      const late = world.tasks.happen(id, { type: "merge-publishing", commit: candidate });
      await expect(late).rejects.toMatchObject({ code: "conflict.state" });
      continue;
    }
    await happen(world, id, { type: "merge-publishing", commit: candidate });
    const cancel = world.tasks.happen(id, { type: "cancel", by: "mari", note: "" });
    await expect(cancel).rejects.toMatchObject({ code: "conflict.state" });
    const known = world.merges.get(id) ?? [];
    if (!known.includes(candidate) && strikes(world, "held", 0.2)) {
      await happen(world, id, {
        type: "merge-held",
        reason: because("target.changes", "The tree has changes."),
      });
      continue;
    }
    // The branch moves here; whoever dies now finds it moved.
    if (!known.includes(candidate)) world.merges.set(id, [...known, candidate]);
    if (chance(world, 0.2)) continue;
    await happen(world, id, { type: "merged", commit: candidate });
  }
}

/** People answer what waits for them; time passes for the rest. */
async function people(world: World): Promise<void> {
  await world.database.query("update pgboss.job set start_after = now() where start_after > now()");
  const { rows } = await world.database.query<{ id: string; state: string; approvable: boolean }>(
    `select id, state, coalesce(reason ->> 'code' = 'review.rounds_used_up', false) as approvable from miyabi.tasks
     where state in ('failed', 'cancelled') or (state = 'waiting' and waits_for = 'person')`,
  );
  for (const { id, approvable } of rows) {
    if (chance(world, 0.5)) continue;
    count(world, approvable ? "approval" : "retry");
    if (approvable)
      await happen(world, id, { type: "approve", approve: !chance(world, 0.5), note: "", by: "mari" });
    else await happen(world, id, { type: "retry", by: "mari" });
  }
  const open = await world.database.query<{ id: string }>(
    "select id from miyabi.tasks where state in ('blocked', 'ready', 'running', 'waiting')",
  );
  const unlucky = chance(world, 0.3) ? pick(world, open.rows) : undefined;
  if (unlucky === undefined) return;
  count(world, "cancelled");
  await happen(world, unlucky.id, { type: "cancel", by: "mari", note: "" }).catch((error: unknown) => {
    expect(error).toMatchObject({ code: "conflict.state" });
  });
}

/** What must hold between any two transactions; each statement lists its violations. */
const INVARIANTS: Readonly<Record<string, string>> = {
  "a task has at most one open run":
    "select task_id from miyabi.runs where state in ('queued', 'leased', 'running') group by 1 having count(*) > 1",
  "attempts of a task count up without gaps, in the order of its runs": `
    select task_id from (select task_id, attempt, row_number() over (partition by task_id order by number) as place from miyabi.runs) r
    where attempt <> place`,
  "a task counts the attempts of its runs":
    "select id from miyabi.tasks t where attempt <> (select count(*) from miyabi.runs r where r.task_id = t.id)",
  "a task is done exactly if it was merged":
    "select id from miyabi.tasks where (state = 'done') <> (merge_commit is not null)",
  "a task that is done has passed every step": `
    select t.id from miyabi.tasks t join miyabi.steps s on s.task_id = t.id where t.state = 'done' and s.state <> 'passed'`,
  "a task that started has only done dependencies": `
    select t.id from miyabi.tasks t join miyabi.task_dependencies d on d.task_id = t.id
      join miyabi.tasks n on n.id = d.depends_on where t.attempt > 0 and n.state <> 'done'`,
  "an ended task has no open run": `
    select t.id from miyabi.tasks t join miyabi.runs r on r.task_id = t.id
    where t.state in ('done', 'failed', 'cancelled') and r.state in ('queued', 'leased', 'running')`,
  "a blocked task has an open dependency": `
    select t.id from miyabi.tasks t where t.state = 'blocked' and not exists (select 1 from miyabi.task_dependencies d
      join miyabi.tasks n on n.id = d.depends_on where d.task_id = t.id and n.state <> 'done')`,
  "a queued run has its job, and every job its queued run": `
    select coalesce(r.id, j.id::text) from (select * from miyabi.runs where state = 'queued') r
      full join (select * from pgboss.job where name like 'run-%') j on j.id = r.job_id where r.id is null or j.id is null`,
  "a task with a leased run is running": `
    select t.id from miyabi.tasks t join miyabi.runs r on r.task_id = t.id and r.state = 'leased' where t.state <> 'running'`,
  "a ready task has a queued run, or is in the merge queue": `
    select t.id from miyabi.tasks t where t.state = 'ready' and t.current_step <> 'merge'
      and not exists (select 1 from miyabi.runs r where r.task_id = t.id and r.state = 'queued')`,
  "one merge is told per task":
    "select task_id from miyabi.events where type = 'task.merged' group by 1 having count(*) > 1",
};

async function check({ database }: World): Promise<void> {
  const held = await Promise.all(
    Object.entries(INVARIANTS).map(async ([name, sql]) => [name, (await database.query(sql)).rows] as const),
  );
  expect(held.filter(([, violations]) => violations.length > 0)).toEqual([]);
}

const SEED = 20_260_301;

test(`${TASKS} tasks all end merged once, whatever happens to them on the way (seed ${SEED})`, async () => {
  const bundle = await setupTasks({ seed: SEED, clock: createFakeClock() });
  const world: World = {
    ...bundle,
    random: createSeededRandom(SEED + 1),
    held: [],
    merges: new Map(),
    calm: false,
    commits: 0,
    happenings: new Map(),
  };
  await addTasks(world);
  let open = TASKS;
  let rounds = 0;
  for (; open > 0 && rounds < MAX_ROUNDS; rounds += 1) {
    world.calm = rounds > 60;
    for (let turn = 0; turn < 30; turn += 1)
      await (world.random.fraction() < 0.55 ? claim(world) : end(world));
    await merge(world);
    await people(world);
    if (rounds % 10 === 0) await check(world);
    const { rows } = await world.database.query<{ open: number }>(
      "select count(*)::int as open from miyabi.tasks where state <> 'done'",
    );
    open = rows[0]?.open ?? TASKS;
  }
  await check(world);
  expect(open).toBe(0);
  const { rows } = await world.database.query<{ id: string; merge_commit: string }>(
    "select id, merge_commit from miyabi.tasks",
  );
  expect(Object.fromEntries(rows.map((row) => [row.id, [row.merge_commit]]))).toEqual(
    Object.fromEntries(world.merges),
  );
  // Each kind of trouble must really have happened.
  for (const what of [
    "crash",
    "lost",
    "failed",
    "quota",
    "check failed",
    "changes",
    "conflict",
    "cancelled",
    "held",
    "retry",
    "approval",
  ])
    expect([what, world.happenings.get(what) ?? 0]).toEqual([
      what,
      expect.toSatisfy((times: number) => times > 0),
    ]);
}, 120_000);

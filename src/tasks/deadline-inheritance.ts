import type { Tx } from "../store/index.ts";
import { priorityOf } from "./deadline.ts";
import type { RunQueue } from "./run-queue.ts";

/*
 * A task is due when the most urgent open task that waits for it is due. For the changed task and all it depends on,
 * find the earliest own deadline among the task itself and everything open downstream of it.
 */
const INHERIT = `
with recursive up(id) as (
    select $1::text union select d.depends_on from miyabi.task_dependencies d join up on d.task_id = up.id),
  down(root, id) as (
    select id, id from up
    union
    select down.root, d.task_id from miyabi.task_dependencies d join down on d.depends_on = down.id
      join miyabi.tasks t on t.id = d.task_id and t.state not in ('done', 'failed', 'cancelled')),
  best as (
    select distinct on (down.root) down.root, t.own_deadline_at as deadline_at, nullif(t.id, down.root) as deadline_from
    from down join miyabi.tasks t on t.id = down.id
    order by down.root, t.own_deadline_at, t.number)
update miyabi.tasks t set deadline_at = best.deadline_at, deadline_from = best.deadline_from
from best
where t.id = best.root and t.state not in ('done', 'failed', 'cancelled')
  and (t.deadline_at, t.deadline_from) is distinct from (best.deadline_at, best.deadline_from)
returning t.id, t.deadline_at`;

/** Brings the deadlines of a task and of all it depends on up to date, with the priority of what is queued for them. */
export async function inheritDeadlines(tx: Tx, queue: RunQueue, taskId: string): Promise<void> {
  const { rows } = await tx.query<{ id: string; deadline_at: Date }>(INHERIT, [taskId]);
  for (const row of rows) {
    const runs = await tx.query<{ id: string; queue: string }>(
      "select id, queue from miyabi.runs where task_id = $1 and state = 'queued'",
      [row.id],
    );
    for (const run of runs.rows) await queue.reprioritise(tx, run.queue, run.id, priorityOf(row.deadline_at));
  }
}

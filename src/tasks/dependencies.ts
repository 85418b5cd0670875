import { AppError } from "../base/index.ts";
import type { Tx } from "../store/index.ts";
import { requireTasks } from "./create-task.ts";
import { inheritDeadlines } from "./deadline-inheritance.ts";
import { findCycle } from "./graph.ts";
import type { RunQueue } from "./run-queue.ts";

// Two changes that are harmless apart can close a cycle together, so changes of the graph follow one another.
const GRAPH_LOCK = 7_204_113;

/** Makes changes of the graph follow one another. Before any lock of a task, or two changes wait for each other. */
export async function lockGraph(tx: Tx): Promise<void> {
  await tx.query("select pg_advisory_xact_lock($1)", [GRAPH_LOCK]);
}

/**
 * Replaces what a task depends on. The caller holds `lockGraph`.
 * @throws dependency.cycle with the path; not_found where a task does not exist.
 */
export async function replaceDependencies(
  tx: Tx,
  queue: RunQueue,
  taskId: string,
  dependsOn: readonly string[],
): Promise<void> {
  await requireTasks(tx, [taskId, ...dependsOn]);
  const { rows } = await tx.query<{ task_id: string; depends_on: string }>(
    `with recursive reach(id) as (select unnest($1::text[]) union select d.depends_on from miyabi.task_dependencies d join reach on d.task_id = reach.id)
     select d.task_id, d.depends_on from miyabi.task_dependencies d join reach on d.task_id = reach.id order by 1, 2`,
    [dependsOn],
  );
  const graph = new Map<string, string[]>([[taskId, [...dependsOn]]]);
  for (const row of rows)
    if (row.task_id !== taskId) graph.set(row.task_id, [...(graph.get(row.task_id) ?? []), row.depends_on]);
  const cycle = findCycle(graph);
  if (cycle !== null) throw cycleError(cycle);
  const before = await tx.query<{ depends_on: string }>(
    "select depends_on from miyabi.task_dependencies where task_id = $1",
    [taskId],
  );
  await tx.query("delete from miyabi.task_dependencies where task_id = $1", [taskId]);
  await tx.query(
    "insert into miyabi.task_dependencies (task_id, depends_on) select $1, unnest($2::text[]) on conflict do nothing",
    [taskId, dependsOn],
  );
  for (const id of new Set([taskId, ...before.rows.map((row) => row.depends_on)]))
    await inheritDeadlines(tx, queue, id);
}

/** The refusal of a dependency cycle, with its path. */
export function cycleError(cycle: readonly string[]): AppError {
  return new AppError({
    code: "dependency.cycle",
    message: `These tasks would wait for each other for ever: ${cycle.join(" → ")}.`,
    fix: "Leave one of these dependencies out.",
    details: { field: "dependsOn", path: cycle },
  });
}

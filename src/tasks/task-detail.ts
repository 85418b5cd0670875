import { AppError } from "../base/index.ts";
import type { RunView, TaskDetail, TaskState } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";
import { isFinal } from "./machine/task-machine.ts";
import {
  RUN_COLUMNS,
  SUMMARY_COLUMNS,
  SUMMARY_JOINS,
  toRunView,
  toStepView,
  toSummary,
  type Costs,
  type RunViewRow,
  type StepViewRow,
  type SummaryRow,
} from "./view-rows.ts";

interface DetailRow extends SummaryRow {
  readonly body: string;
  readonly target_branch: string;
  readonly base_commit: string | null;
  readonly head_commit: string | null;
  readonly report: string | null;
  readonly taken_over: boolean;
}

interface LinkRow {
  readonly side: "needs" | "needed";
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
}

/** One task with its steps, its newest 500 runs (oldest first) and its links. @throws not_found */
export async function readTask(db: Queryable, costs: Costs, taskId: string): Promise<TaskDetail> {
  const { rows } = await db.query<DetailRow>(
    `select ${SUMMARY_COLUMNS}, t.body, p.target_branch, t.base_commit, t.head_commit, t.report, t.taken_over
     from miyabi.tasks t ${SUMMARY_JOINS} where t.id = $1`,
    [taskId],
  );
  const row = rows[0];
  if (row === undefined) throw noTask(taskId);
  const [steps, runs, links, taskCosts] = await Promise.all([
    db.query<StepViewRow>(
      `select name, kind, role, position, state, reason, started_at, finished_at
       from miyabi.steps where task_id = $1 order by position`,
      [taskId],
    ),
    db.query<RunViewRow>(
      `select ${RUN_COLUMNS} from miyabi.runs where task_id = $1 order by attempt desc limit 500`,
      [taskId],
    ),
    db.query<LinkRow>(
      `select 'needs' as side, t.id, t.title, t.state, t.number from miyabi.task_dependencies d
         join miyabi.tasks t on t.id = d.depends_on where d.task_id = $1
       union all
       select 'needed', t.id, t.title, t.state, t.number from miyabi.task_dependencies d
         join miyabi.tasks t on t.id = d.task_id where d.depends_on = $1
       order by number`,
      [taskId],
    ),
    costs.ofTasks([taskId]),
  ]);
  const views = await runsWithCosts(runs.rows.toReversed(), costs);
  const side = (name: LinkRow["side"]): TaskDetail["dependsOn"] =>
    links.rows.filter((link) => link.side === name).map(({ id, title, state }) => ({ id, title, state }));
  return {
    ...toSummary(row, taskCosts.get(taskId) ?? null),
    body: row.body,
    targetBranch: row.target_branch,
    baseCommit: row.base_commit,
    headCommit: row.head_commit,
    dependsOn: side("needs"),
    dependents: side("needed"),
    steps: steps.rows.map(toStepView),
    runs: views,
    report: row.report,
    takenOver: row.taken_over,
    actions: actionsOf(row, views),
  };
}

/** @throws not_found */
export async function readRun(db: Queryable, costs: Costs, runId: string): Promise<RunView> {
  const { rows } = await db.query<RunViewRow>(`select ${RUN_COLUMNS} from miyabi.runs where id = $1`, [
    runId,
  ]);
  const [view] = await runsWithCosts(rows, costs);
  if (view === undefined)
    throw new AppError({ code: "not_found", message: `There is no run ${runId}.`, fix: "miyabi task list" });
  return view;
}

export function noTask(taskId: string): AppError {
  return new AppError({ code: "not_found", message: `There is no task ${taskId}.`, fix: "miyabi task list" });
}

async function runsWithCosts(rows: readonly RunViewRow[], costs: Costs): Promise<RunView[]> {
  const known = rows.length === 0 ? null : await costs.ofRuns(rows.map((row) => row.id));
  return rows.map((row) => toRunView(row, known?.get(row.id) ?? null));
}

/** What a person may do with the task now; mirrors the task machine and `decide`. */
function actionsOf(row: DetailRow, runs: readonly RunView[]): TaskDetail["actions"] {
  const actions: TaskDetail["actions"] = [];
  const isWorking = runs.some(
    (run) => run.kind === "agent" && run.slot !== null && (run.state === "leased" || run.state === "running"),
  );
  const needsApproval =
    row.state === "waiting" && (row.waits_for === "approval" || row.reason?.code === "review.rounds_used_up");
  if (needsApproval) actions.push("approve");
  if (row.taken_over) actions.push("handback");
  else if (isWorking) actions.push("takeover");
  const isParked = row.state === "waiting" || row.state === "delivered";
  if (row.state === "failed" || row.state === "cancelled" || (isParked && !row.taken_over))
    actions.push("retry");
  if (!isFinal(row.state)) actions.push("prioritise", "cancel");
  return actions;
}

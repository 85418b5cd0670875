import type { Queryable } from "../../store/index.ts";
import type { Cause, Workflow, WorkflowStep } from "../../tasks/index.ts";
import { AppError } from "../../base/index.ts";

/** Rows that the spec of a run is made from. */
export interface RunContext {
  readonly runId: string;
  readonly attempt: number;
  readonly round: number;
  readonly taskId: string;
  readonly source: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly profile: string | null;
  readonly branch: string;
  readonly baseCommit: string | null;
  readonly headCommit: string | null;
  readonly headTree: string | null;
  readonly workflow: Workflow;
  readonly definition: WorkflowStep;
  readonly stepData: Readonly<Record<string, unknown>>;
  readonly cause: Cause;
  readonly commit: string | null;
  readonly repository: {
    readonly id: string;
    readonly path: string;
    readonly isHosted: boolean;
    readonly targetBranch: string;
  };
}

interface Row {
  readonly id: string;
  readonly attempt: number;
  readonly round: number;
  readonly task_id: string;
  readonly source: string;
  readonly title: string;
  readonly body: string;
  readonly labels: string[];
  readonly profile: string | null;
  readonly branch: string;
  readonly base_commit: string | null;
  readonly head_commit: string | null;
  readonly head_tree: string | null;
  readonly workflow: Workflow;
  readonly step_position: number;
  readonly data: Record<string, unknown>;
  readonly cause: Cause;
  readonly commit: string | null;
  readonly repository_id: string;
  readonly path: string;
  readonly is_hosted: boolean;
  readonly target_branch: string;
}

/** @throws not_found */
export async function loadRunContext(db: Queryable, runId: string): Promise<RunContext> {
  const { rows } = await db.query<Row>(
    `select r.id, r.attempt, r.round, r.task_id, t.source, t.title, t.body, t.labels, t.profile, t.branch, t.base_commit, t.head_commit, t.head_tree,
       t.workflow, r.step_position, s.data, r.cause, r.commit, t.repository_id, p.path, p.remote is not null as is_hosted, p.target_branch
     from miyabi.runs r join miyabi.tasks t on t.id = r.task_id join miyabi.repositories p on p.id = t.repository_id
       join miyabi.steps s on s.task_id = t.id and s.position = r.step_position
     where r.id = $1`,
    [runId],
  );
  const row = rows[0];
  const definition = row?.workflow.steps[row.step_position];
  if (row === undefined || definition === undefined)
    throw new AppError({ code: "not_found", message: `There is no run ${runId}.` });
  return {
    runId: row.id,
    attempt: row.attempt,
    round: row.round,
    taskId: row.task_id,
    source: row.source,
    title: row.title,
    body: row.body,
    labels: row.labels,
    profile: row.profile,
    branch: row.branch,
    baseCommit: row.base_commit,
    headCommit: row.head_commit,
    headTree: row.head_tree,
    workflow: row.workflow,
    definition,
    stepData: row.data,
    cause: row.cause,
    commit: row.commit,
    repository: {
      id: row.repository_id,
      path: row.path,
      isHosted: row.is_hosted,
      targetBranch: row.target_branch,
    },
  };
}

/** Commands of a run: a check's own, or for a merge those of the check step that it repeats. */
export function commandsOf(context: RunContext): {
  readonly commands: readonly string[];
  readonly egress: readonly string[];
} {
  const { definition, workflow } = context;
  if (definition.kind === "check" || definition.kind === "command")
    return { commands: definition.commands, egress: definition.egress };
  const repeated =
    definition.kind === "merge" ? workflow.steps.find((step) => step.name === definition.check) : undefined;
  return repeated?.kind === "check"
    ? { commands: repeated.commands, egress: repeated.egress }
    : { commands: [], egress: [] };
}

/** Whether the run is an agent's that looks at somebody's work instead of changing it. */
export function isReview(context: RunContext): boolean {
  return context.definition.kind === "agent" && context.definition.onChanges !== undefined;
}

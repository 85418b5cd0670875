import type { Reason } from "../../contract/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { Workflow } from "../../tasks/index.ts";

/** A task of an issue, as the write-back and the watch need it. */
export interface HostedTask {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly waitsFor: string | null;
  readonly reason: Reason | null;
  readonly currentStep: string | null;
  /** Digest of the changes to protected paths that a person approved at this step. */
  readonly approved: string | null;
  readonly stepKind: string | null;
  readonly round: number;
  readonly branch: string;
  readonly baseCommit: string | null;
  readonly headCommit: string | null;
  readonly mergeCommit: string | null;
  readonly report: string | null;
  readonly workflow: Workflow;
  readonly repositoryId: string;
  readonly issue: {
    readonly repository: string;
    readonly number: number;
    readonly commentId: string | null;
    readonly written: { readonly label?: string; readonly comment?: string };
    /** Who set the label that it was taken for; null: not known. */
    readonly labelledBy: string | null;
    /** Comments that were not used, by author. */
    readonly unused: readonly { readonly author: string; readonly count: number }[];
    /** Who changed title or text after the task got them; null: nobody. */
    readonly editedBy: string | null;
  };
  readonly pullRequest: {
    readonly number: number;
    readonly url: string;
    /** Where we left the branch; null: it was deleted since. */
    readonly pushedCommit: string | null;
    readonly etag: string | null;
    readonly feedbackUntil: Date;
    /** Threads of reviews up to then were looked at; null: none. */
    readonly reviewsSeenAt: Date | null;
    /** Null: none was written. */
    readonly checkRun: OwnCheck | null;
    readonly pushedAt: Date;
    readonly lookedAt: Date | null;
    /** When we were told of a change. */
    readonly changedAt: Date | null;
    /** Approved by a command. */
    readonly approvedCommit: string | null;
  } | null;
  /** When this was read, by the database's clock. */
  readonly readAt: Date;
}

/** Our own check run as it was written last. */
export interface OwnCheck {
  readonly id: number;
  readonly commit: string;
  readonly conclusion: string;
  /** Of all that it says. */
  readonly hash: string;
}

interface Row {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly waits_for: string | null;
  readonly reason: Reason | null;
  readonly current_step: string | null;
  readonly step_kind: string | null;
  readonly approved: string | null;
  readonly round: number;
  readonly branch: string;
  readonly base_commit: string | null;
  readonly head_commit: string | null;
  readonly merge_commit: string | null;
  readonly report: string | null;
  readonly workflow: Workflow;
  readonly repository_id: string;
  readonly repository: string;
  readonly number: number;
  readonly comment_id: string | null;
  readonly written: { readonly label?: string; readonly comment?: string };
  readonly unused: readonly { readonly author: string; readonly count: number }[];
  readonly edited_by: string | null;
  readonly labelled_by: string | null;
  readonly reviews_seen_at: Date | null;
  readonly check_run: OwnCheck | null;
  readonly approved_commit: string | null;
  readonly pr_number: number | null;
  readonly pr_url: string | null;
  readonly pushed_commit: string | null;
  readonly etag: string | null;
  readonly feedback_until: Date | null;
  readonly pushed_at: Date | null;
  readonly looked_at: Date | null;
  readonly changed_at: Date | null;
  readonly read_at: Date;
}

const SELECT = `
select t.id, t.title, t.state, t.waits_for, t.reason, t.current_step, s.kind as step_kind, s.data ->> 'approved' as approved, t.round, t.branch, t.base_commit, t.head_commit,
  t.merge_commit, t.report, t.workflow, t.repository_id, i.repository, i.number, i.comment_id::text, i.written, i.edit ->> 'by' as edited_by, i.intake ->> 'by' as labelled_by,
  (select coalesce(jsonb_agg(jsonb_build_object('author', u.author, 'count', u.count) order by u.count desc, u.author), '[]') from (
    select author, sum(count)::int as count from (
      select author, count(*)::int as count from miyabi.github_comments where task_id = t.id and outcome in ('not-used', 'untrusted') group by author
      union all select key, value::int from jsonb_each_text(p.unused)) each group by author) u) as unused,
  p.number as pr_number, p.url as pr_url, p.pushed_commit, p.etag, p.feedback_until, p.reviews_seen_at, p.check_run, p.pushed_at, p.looked_at, p.changed_at, p.approved_commit, now() as read_at
from miyabi.tasks t join miyabi.github_issues i on i.task_id = t.id
  left join miyabi.github_pull_requests p on p.task_id = t.id
  left join miyabi.steps s on s.task_id = t.id and s.name = t.current_step`;

/** Null where the task belongs to no issue. */
export async function readHostedTask(db: Queryable, taskId: string): Promise<HostedTask | null> {
  const { rows } = await db.query<Row>(`${SELECT} where t.id = $1`, [taskId]);
  return rows[0] === undefined ? null : toTask(rows[0]);
}

/** Tasks with an open pull request, the one that was looked at longest ago first. */
export async function deliveredTasks(db: Queryable): Promise<readonly HostedTask[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} where p.number is not null and t.state not in ('done', 'failed', 'cancelled') order by p.looked_at nulls first`,
  );
  return rows.map(toTask);
}

/** Which pull request something happened to. */
export type PullRequestPlace =
  | { readonly repository: string; readonly number: number }
  | { readonly repository: string; readonly commit: string }
  /** A branch that somebody moved to `movedTo`; null: it is gone. */
  | { readonly repository: string; readonly branch: string; readonly movedTo: string | null };

/** Notes that something happened to a task's pull request, so that it is looked at next. False where it is no task's. */
export async function markChanged(db: Queryable, place: PullRequestPlace): Promise<boolean> {
  const [condition, values] =
    "number" in place
      ? ["number = $2", [place.number]]
      : "commit" in place
        ? ["pushed_commit = $2", [place.commit]]
        : ["branch = $2 and pushed_commit is distinct from $3", [place.branch, place.movedTo]];
  const { rowCount } = await db.query(
    `update miyabi.github_pull_requests set changed_at = now() where repository = $1 and ${condition}`,
    [place.repository, ...values],
  );
  return rowCount > 0;
}

/** The branch is gone from the server: the next push makes it anew. */
export async function forgetPush(db: Queryable, taskId: string): Promise<void> {
  await db.query("update miyabi.github_pull_requests set pushed_commit = '' where task_id = $1", [taskId]);
}

function toTask(row: Row): HostedTask {
  return {
    id: row.id,
    title: row.title,
    state: row.state,
    waitsFor: row.waits_for,
    reason: row.reason,
    currentStep: row.current_step,
    stepKind: row.step_kind,
    approved: row.approved,
    round: row.round,
    branch: row.branch,
    baseCommit: row.base_commit,
    headCommit: row.head_commit,
    mergeCommit: row.merge_commit,
    report: row.report,
    workflow: row.workflow,
    repositoryId: row.repository_id,
    issue: {
      repository: row.repository,
      number: row.number,
      commentId: row.comment_id,
      written: row.written,
      labelledBy: row.labelled_by,
      unused: row.unused,
      editedBy: row.edited_by,
    },
    pullRequest:
      row.pr_number === null
        ? null
        : {
            number: row.pr_number,
            url: row.pr_url ?? "",
            pushedCommit: row.pushed_commit || null,
            etag: row.etag,
            feedbackUntil: row.feedback_until ?? new Date(0),
            reviewsSeenAt: row.reviews_seen_at,
            checkRun: row.check_run,
            pushedAt: row.pushed_at ?? new Date(0),
            lookedAt: row.looked_at,
            changedAt: row.changed_at,
            approvedCommit: row.approved_commit,
          },
    readAt: row.read_at,
  };
}

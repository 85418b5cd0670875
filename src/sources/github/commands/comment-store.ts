import type { Queryable } from "../../../store/index.ts";

export type CommentOutcome = "not-used" | "untrusted" | "done" | "refused" | "unknown";

export interface HandledComment {
  /** Key of the repository. */
  readonly repository: string;
  readonly id: number;
  /** Of the issue or pull request. */
  readonly number: number;
  readonly taskId: string | null;
  readonly author: string;
  readonly command: string | null;
  readonly outcome: CommentOutcome;
  readonly writtenAt: Date;
}

/** Notes what becomes of a comment, once. False where that is known already. */
export async function recordComment(db: Queryable, comment: HandledComment): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into miyabi.github_comments (repository, comment_id, number, task_id, author, command, outcome, written_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [
      comment.repository,
      comment.id,
      comment.number,
      comment.taskId,
      comment.author,
      comment.command,
      comment.outcome,
      comment.writtenAt,
    ],
  );
  return rowCount > 0;
}

export async function setOutcome(
  db: Queryable,
  { repository, id }: Pick<HandledComment, "repository" | "id">,
  outcome: CommentOutcome,
): Promise<void> {
  await db.query("update miyabi.github_comments set outcome = $3 where repository = $1 and comment_id = $2", [
    repository,
    id,
    outcome,
  ]);
}

/** Those of `ids` that were looked at. */
export async function knownComments(
  db: Queryable,
  repository: string,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  const { rows } = await db.query<{ id: string }>(
    "select comment_id::text as id from miyabi.github_comments where repository = $1 and comment_id = any($2)",
    [repository, ids],
  );
  return new Set(rows.map(({ id }) => Number(id)));
}

/** Whose comments they are: the task of an issue or of a pull request. Null where we know nothing of it. */
export async function threadOf(
  db: Queryable,
  repository: string,
  number: number,
): Promise<{ readonly taskId: string | null; readonly issue: number } | null> {
  const { rows } = await db.query<{ task_id: string | null; number: number }>(
    `select i.task_id, i.number from miyabi.github_issues i where i.repository = $1 and i.number = $2
     union all
     select p.task_id, i.number from miyabi.github_pull_requests p join miyabi.github_issues i on i.task_id = p.task_id
       where p.repository = $1 and p.number = $2
     limit 1`,
    [repository, number],
  );
  const row = rows[0];
  return row === undefined ? null : { taskId: row.task_id, issue: row.number };
}

/** Whether an unknown command on this page was answered with the list before. */
export async function wasListed(db: Queryable, comment: HandledComment): Promise<boolean> {
  const { rowCount } = await db.query(
    "select 1 from miyabi.github_comments where repository = $1 and number = $2 and outcome = 'unknown' and comment_id <> $3 limit 1",
    [comment.repository, comment.number, comment.id],
  );
  return rowCount > 0;
}

/** When a trusted person last said that the text of an issue may be used; null: never. */
export async function textUsedAt(db: Queryable, repository: string, number: number): Promise<Date | null> {
  const { rows } = await db.query<{ at: Date | null }>(
    "select max(written_at) as at from miyabi.github_comments where repository = $1 and number = $2 and command = 'use' and outcome = 'done'",
    [repository, number],
  );
  return rows[0]?.at ?? null;
}

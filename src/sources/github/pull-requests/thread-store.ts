import type { Queryable, Tx } from "../../../store/index.ts";
import type { OpenThread } from "./review-threads.ts";

/** Comments of trusted people that the task's agent got, by thread. */
export async function givenComments(db: Queryable, taskId: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ thread_id: string; given: number }>(
    "select thread_id, given from miyabi.github_review_threads where task_id = $1",
    [taskId],
  );
  return new Map(rows.map(({ thread_id: id, given }) => [id, given]));
}

/** Records that the agent gets these threads now. Resolves with the numbers that it knows them by, in their order. */
export async function giveThreads(
  tx: Tx,
  taskId: string,
  threads: readonly OpenThread[],
): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (const { id, given } of threads) {
    const { rows } = await tx.query<{ number: number }>(
      `insert into miyabi.github_review_threads (task_id, thread_id, number, given, state)
       select $1, $2, coalesce(max(number), 0) + 1, $3, 'given' from miyabi.github_review_threads where task_id = $1
       on conflict (task_id, thread_id) do update set given = excluded.given, state = 'given', given_at = now()
       returning number`,
      [taskId, id, given],
    );
    numbers.push(rows[0]?.number ?? 0);
  }
  return numbers;
}

interface Unanswered {
  readonly threadId: string;
  /** As the agent knows it. */
  readonly number: number;
  readonly givenAt: Date;
}

/** Takes the threads that wait for an answer: from now on they are said to have one. */
export async function takeUnanswered(tx: Tx, taskId: string): Promise<readonly Unanswered[]> {
  const { rows } = await tx.query<{ thread_id: string; number: number; given_at: Date }>(
    `update miyabi.github_review_threads set state = 'answered' where task_id = $1 and state = 'given'
     returning thread_id, number, given_at`,
    [taskId],
  );
  return rows.map((row) => ({ threadId: row.thread_id, number: row.number, givenAt: row.given_at }));
}

/** Notes up to when reviews were looked at, and whose comments in them were not used. True where the latter changed. */
export async function noteSeen(
  db: Queryable,
  taskId: string,
  { until, unused }: { readonly until: Date; readonly unused: Readonly<Record<string, number>> },
): Promise<boolean> {
  const { rows } = await db.query<{ changed: boolean }>(
    `update miyabi.github_pull_requests p set reviews_seen_at = $2, unused = $3
     from (select unused from miyabi.github_pull_requests where task_id = $1) before
     where p.task_id = $1 returning before.unused <> p.unused as changed`,
    [taskId, until, JSON.stringify(unused)],
  );
  return rows[0]?.changed === true;
}

/** The agent did not get these threads after all: they are given again when the task goes on. */
export async function takeBack(tx: Tx, taskId: string, threads: readonly OpenThread[]): Promise<void> {
  await tx.query(
    "update miyabi.github_review_threads set given = 0, state = 'answered' where task_id = $1 and thread_id = any($2)",
    [taskId, threads.map(({ id }) => id)],
  );
}

import type { Queryable } from "../../store/index.ts";

/*
 * A check's result depends on the tree, the commands and the prepared environment alone, which is what its key is made of.
 * Only success is kept: a failure goes back to the agent, and a failure that was bad luck deserves another try.
 */

/** Output of the run that passed under this key, or null. */
export async function findCheck(
  db: Queryable,
  key: string,
): Promise<{ readonly runId: string; readonly output: string } | null> {
  const { rows } = await db.query<{ run_id: string; output: string }>(
    "select run_id, output from miyabi.check_results where key = $1 and passed",
    [key],
  );
  const row = rows[0];
  return row === undefined ? null : { runId: row.run_id, output: row.output };
}

/** Keeps that a check passed. Idempotent; safe before the run's end is committed, since the result is true either way. */
export async function rememberCheck(
  db: Queryable,
  check: { readonly key: string; readonly runId: string; readonly output: string },
): Promise<void> {
  await db.query(
    `insert into miyabi.check_results (key, passed, output, duration_ms, run_id)
     select $1, true, $2, coalesce(extract(epoch from now() - started_at) * 1000, 0)::int, id from miyabi.runs where id = $3
     on conflict (key) do nothing`,
    [check.key, check.output, check.runId],
  );
}

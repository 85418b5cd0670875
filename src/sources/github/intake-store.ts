import type { Random } from "../../base/index.ts";
import type { Database, Queryable, Tx } from "../../store/index.ts";
import { syncThroughOutbox } from "../../tasks/index.ts";
import type { IntakeOutcome } from "./intake-outcome.ts";

export const NOTICE = "intake-notice";

interface Place {
  readonly repository: string;
  readonly number: number;
}

/**
 * Keeps what became of an issue, and has the issue say so. Issues that wait for each other in a circle all learn of it, and all
 * forget it when it is broken.
 */
export async function rememberOutcome(
  database: Database,
  random: Pick<Random, "uuid">,
  place: Place,
  outcome: IntakeOutcome,
): Promise<void> {
  // Its row was written with the task; only a circle that it was in has to learn of it.
  if (outcome.outcome === "taken" && !(await isInCycle(database, `${place.repository}#${place.number}`)))
    return;
  return database.transaction((tx) => rememberOutcomeIn(tx, random, place, outcome));
}

export async function rememberOutcomeIn(
  tx: Tx,
  random: Pick<Random, "uuid">,
  { repository, number }: Place,
  outcome: IntakeOutcome,
): Promise<void> {
  const self = `${repository}#${number}`;
  const { rowCount } = await tx.query(
    `insert into miyabi.github_issues (repository, number, intake) values ($1, $2, $3)
     on conflict (repository, number) do update set intake = excluded.intake, updated_at = now()
       where miyabi.github_issues.task_id is null or excluded.intake ->> 'outcome' = 'taken'`,
    [repository, number, JSON.stringify(outcome)],
  );
  if (rowCount === 0) return;
  const cycle = outcome.outcome === "waits" ? (outcome.cycle ?? null) : null;
  const others = cycle === null ? [] : cycle.filter((one) => one !== self);
  await tx.query(
    `update miyabi.github_issues set intake = intake || jsonb_build_object('cycle', $2::jsonb)
     where task_id is null and repository || '#' || number = any($1) and intake ->> 'outcome' = 'waits'`,
    [others, JSON.stringify(cycle)],
  );
  const { rows } = await tx.query<{ reference: string }>(
    `update miyabi.github_issues set intake = intake - 'cycle'
     where intake -> 'cycle' ? $1 and not repository || '#' || number = any($2)
     returning repository || '#' || number as reference`,
    [self, [self, ...others]],
  );
  if (outcome.outcome === "taken") return;
  for (const one of [self, ...others, ...rows.map(({ reference }) => reference)])
    await sayOnIssue(tx, random, one);
}

async function isInCycle(db: Queryable, self: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "select 1 from miyabi.github_issues where intake -> 'cycle' ? $1 limit 1",
    [self],
  );
  return rowCount > 0;
}

/** Has an issue without a task say why it has none. */
async function sayOnIssue(tx: Tx, random: Pick<Random, "uuid">, reference: string): Promise<void> {
  await syncThroughOutbox(tx, random, { taskId: null, kind: NOTICE, target: `issue:${reference}` });
}

/** Issues that wait for another one. */
export async function waitersOf(
  db: Queryable,
  reference: string,
): Promise<readonly { readonly repository: string; readonly number: number }[]> {
  const { rows } = await db.query<{ repository: string; number: number }>(
    `select repository, number from miyabi.github_issues
     where task_id is null and intake ->> 'outcome' = 'waits' and intake -> 'on' ? $1 order by number`,
    [reference],
  );
  return rows;
}

/** What became of an issue that is no task; null: nothing is known of it. */
export async function knownIntake(
  db: Queryable,
  { repository, number }: Place,
): Promise<IntakeOutcome | null> {
  const { rows } = await db.query<{ intake: IntakeOutcome }>(
    "select intake from miyabi.github_issues where repository = $1 and number = $2",
    [repository, number],
  );
  return rows[0]?.intake ?? null;
}

/** An issue without a task is no more: it takes nobody's turn. */
export async function forgetIssue(db: Queryable, { repository, number }: Place): Promise<void> {
  await db.query(
    "delete from miyabi.github_issues where repository = $1 and number = $2 and task_id is null",
    [repository, number],
  );
}

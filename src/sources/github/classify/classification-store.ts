import type { Queryable } from "../../../store/index.ts";

interface Place {
  readonly repository: string;
  readonly number: number;
}

/** What is known of an issue without labels, and what a model said of it. */
export interface Classification extends Place {
  readonly state: "pending" | "chosen" | "suggested" | "none" | "failed";
  readonly author: string | null;
  readonly attempts: number;
  readonly textHash: string | null;
  readonly labels: readonly string[];
}

const COLUMNS = "repository, number, state, author, attempts, text_hash, labels";
const LEASE_SECONDS = 180;

interface Row extends Place {
  readonly state: Classification["state"];
  readonly author: string | null;
  readonly attempts: number;
  readonly text_hash: string | null;
  readonly labels: string[];
}

const toClassification = ({ text_hash: textHash, ...row }: Row): Classification => ({ ...row, textHash });

/** Notes an issue that is to be classified; one that was noted before is not noted again. */
export async function noteUnlabelled(
  db: Queryable,
  { repository, number, author }: Pick<Classification, "repository" | "number" | "author">,
): Promise<void> {
  await db.query(
    "insert into miyabi.github_classifications (repository, number, author) values ($1, $2, $3) on conflict do nothing",
    [repository, number, author],
  );
}

/** Takes an issue that is to be classified; whoever dies with it leaves it to the next after a while. */
export async function claimUnlabelled(
  db: Queryable,
  repositories: readonly string[],
): Promise<Classification | null> {
  const { rows } = await db.query<Row>(
    `update miyabi.github_classifications c set attempts = c.attempts + 1, not_before = now() + make_interval(secs => $2)
     from (select repository, number from miyabi.github_classifications
       where state = 'pending' and not_before <= now() and repository = any($1)
       order by not_before, number limit 1 for update skip locked) due
     where c.repository = due.repository and c.number = due.number returning ${COLUMNS.replaceAll(/\w+/g, "c.$&")}`,
    [repositories, LEASE_SECONDS],
  );
  return rows[0] === undefined ? null : toClassification(rows[0]);
}

/** Null: it was never noted. */
export async function readClassification(db: Queryable, place: Place): Promise<Classification | null> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from miyabi.github_classifications where repository = $1 and number = $2`,
    [place.repository, place.number],
  );
  return rows[0] === undefined ? null : toClassification(rows[0]);
}

export interface Decision {
  readonly state: Exclude<Classification["state"], "pending">;
  readonly labels: readonly string[];
  readonly textHash: string | null;
  readonly model: string | null;
  readonly callId: string | null;
  readonly error: string | null;
}

/** False where another try has decided, or taken it over. */
export async function decideClassification(
  db: Queryable,
  { repository, number, attempts }: Classification,
  decision: Decision,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update miyabi.github_classifications set state = $4, labels = $5, text_hash = $6, model = $7, call_id = $8, error = $9
     where repository = $1 and number = $2 and attempts = $3 and state = 'pending'`,
    [
      repository,
      number,
      attempts,
      decision.state,
      decision.labels,
      decision.textHash,
      decision.model,
      decision.callId,
      decision.error,
    ],
  );
  return rowCount === 1;
}

/** It is asked again after a while. */
export async function postponeClassification(
  db: Queryable,
  { repository, number, attempts }: Classification,
  {
    error,
    callId,
    delayMs,
  }: { readonly error: string; readonly callId: string | null; readonly delayMs: number },
): Promise<void> {
  await db.query(
    `update miyabi.github_classifications set error = $4, call_id = $5, not_before = now() + make_interval(secs => $6)
     where repository = $1 and number = $2 and attempts = $3 and state = 'pending'`,
    [repository, number, attempts, error, callId, delayMs / 1_000],
  );
}

import type { Database } from "../../store/index.ts";

/** What GitHub takes of one account, as its documentation states it; both windows slide. */
export interface WriteLimits {
  readonly perMinute: number;
  readonly perHour: number;
  /** Between two writes. Milliseconds. */
  readonly gapMs: number;
}

/** What was written lately, as far as it decides when the next write may be. */
export interface WriteFacts {
  readonly lastAt: Date | null;
  /** The write that must be older than a minute; null: fewer were made. */
  readonly minuteAt: Date | null;
  /** The write that must be older than an hour; null: fewer were made. */
  readonly hourAt: Date | null;
  /** Until when GitHub asked us to wait. */
  readonly pausedUntil: Date | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const FACTS = `
select p.until as "pausedUntil",
  (select max(at) from miyabi.github_writes where connection = $1) as "lastAt",
  (select at from miyabi.github_writes where connection = $1 order by at desc offset $2 limit 1) as "minuteAt",
  (select at from miyabi.github_writes where connection = $1 order by at desc offset $3 limit 1) as "hourAt"
from miyabi.github_write_pauses p where p.connection = $1`;

interface GrantParams {
  readonly connection: string;
  readonly limits: WriteLimits;
  /** Writes of an hour that this one may find made already. */
  readonly hourShare: number;
  readonly now: Date;
}

/** Milliseconds until a write may be made; 0: now. Pure. */
export function waitMs(facts: WriteFacts, limits: Pick<WriteLimits, "gapMs">, now: Date): number {
  const until = [
    facts.pausedUntil?.getTime() ?? 0,
    facts.lastAt === null ? 0 : facts.lastAt.getTime() + limits.gapMs,
    facts.minuteAt === null ? 0 : facts.minuteAt.getTime() + MINUTE_MS,
    facts.hourAt === null ? 0 : facts.hourAt.getTime() + HOUR_MS,
  ];
  return Math.max(0, Math.max(...until) - now.getTime());
}

/**
 * Grants one write of all control planes together, and counts it, whether or not it is made then: 0. Else how many milliseconds to
 * wait before asking again; nothing is counted then.
 */
export function grantWrite(database: Database, params: Readonly<GrantParams>): Promise<number> {
  const { connection, limits, hourShare, now } = params;
  return database.transaction(async (tx) => {
    await tx.query("insert into miyabi.github_write_pauses (connection) values ($1) on conflict do nothing", [
      connection,
    ]);
    await tx.query("select 1 from miyabi.github_write_pauses where connection = $1 for update", [connection]);
    const { rows } = await tx.query<WriteFacts>(FACTS, [connection, limits.perMinute - 1, hourShare - 1]);
    const pauseMs = rows[0] === undefined ? 0 : waitMs(rows[0], limits, now);
    if (pauseMs > 0) return pauseMs;
    await tx.query("insert into miyabi.github_writes (connection, at) values ($1, $2)", [connection, now]);
    await tx.query("delete from miyabi.github_writes where connection = $1 and at < $2", [
      connection,
      new Date(now.getTime() - HOUR_MS),
    ]);
    return 0;
  });
}

/** The same question without the grant; what two writes need between them is left out. */
export async function roomInMs(database: Database, params: Readonly<GrantParams>): Promise<number> {
  const { connection, limits, hourShare, now } = params;
  const { rows } = await database.query<WriteFacts>(FACTS, [connection, limits.perMinute - 1, hourShare - 1]);
  return rows[0] === undefined ? 0 : waitMs({ ...rows[0], lastAt: null }, limits, now);
}

// GitHub asks to wait longer each time where it went on refusing.
const LONGEST_PAUSE_MS = HOUR_MS;

/** Keeps that GitHub refused a write. A restart and other control planes wait too. */
export async function notePause(
  database: Database,
  params: Readonly<{ connection: string; pauseMs: number; now: Date }>,
): Promise<void> {
  await database.query(
    `update miyabi.github_write_pauses set refusals = refusals + 1,
       until = greatest(until, $2::timestamptz + make_interval(secs => least($3::float8 * power(2, least(refusals, 6)), greatest($3, $4::float8))))
     where connection = $1`,
    [params.connection, params.now, params.pauseMs / 1_000, LONGEST_PAUSE_MS / 1_000],
  );
}

export async function noteAccepted(database: Database, connection: string): Promise<void> {
  await database.query(
    "update miyabi.github_write_pauses set refusals = 0 where connection = $1 and refusals > 0",
    [connection],
  );
}

/** Writes of the last minute and hour, and what waits in the outbox to be written. */
export async function readWrites(
  database: Database,
  connection: string,
  now: Date,
): Promise<{
  readonly minute: number;
  readonly hour: number;
  readonly pausedUntil: Date | null;
}> {
  const { rows } = await database.query<{ minute: number; hour: number; until: Date | null }>(
    `select count(*) filter (where at > $2::timestamptz - interval '1 minute')::int as minute, count(*)::int as hour,
       (select until from miyabi.github_write_pauses where connection = $1 and until > $2) as until
     from miyabi.github_writes where connection = $1 and at > $2::timestamptz - interval '1 hour'`,
    [connection, now],
  );
  const row = rows[0];
  return { minute: row?.minute ?? 0, hour: row?.hour ?? 0, pausedUntil: row?.until ?? null };
}

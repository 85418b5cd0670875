import { AppError } from "../base/index.ts";
import type { LogItem, TranscriptBody } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";

export interface ReadLogsParams {
  readonly taskId?: string | undefined;
  readonly slot?: string | undefined;
  readonly since?: Date | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface LogRow {
  readonly micros: string;
  readonly run_number: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly step: string;
  readonly slot: string | null;
  readonly seq: number;
  readonly at: Date;
  readonly body: TranscriptBody;
}

/**
 * Transcript items across runs: the newest page first, oldest first within a page. To go on from the newest page,
 * follow the runs' own transcripts after their last `seq`: times are those of the agents' machines and may come late.
 * @throws input.invalid for a cursor that is none.
 */
export async function readLogs(
  db: Queryable,
  params: Readonly<ReadLogsParams>,
): Promise<{ readonly items: LogItem[]; readonly nextCursor: string | null }> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions: string[] = [];
  if (params.taskId !== undefined) conditions.push(`r.task_id = ${bind(params.taskId)}`);
  if (params.slot !== undefined) conditions.push(`r.slot = ${bind(params.slot)}`);
  if (params.since !== undefined) conditions.push(`t.at >= ${bind(params.since)}`);
  if (params.cursor !== undefined) {
    const [micros, run, seq] = parseCursor(params.cursor);
    const at = `timestamptz 'epoch' + ${bind(micros)}::bigint * interval '1 microsecond'`;
    conditions.push(`(t.at, r.number, t.seq) < (${at}, ${bind(run)}::bigint, ${bind(seq)}::int)`);
  }
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const { rows } = await db.query<LogRow>(
    `select (extract(epoch from t.at) * 1000000)::bigint::text as micros, r.number::text as run_number,
       t.run_id, r.task_id, r.step, r.slot, t.seq, t.at, t.body
     from miyabi.transcripts t join miyabi.runs r on r.id = t.run_id ${where}
     order by t.at desc, r.number desc, t.seq desc limit ${bind(params.limit + 1)}`,
    values,
  );
  const page = rows.slice(0, params.limit);
  const last = page.at(-1);
  return {
    items: page.toReversed().map((row) => ({
      runId: row.run_id,
      taskId: row.task_id,
      step: row.step,
      slot: row.slot,
      seq: row.seq,
      at: row.at.toISOString(),
      body: row.body,
    })),
    nextCursor:
      rows.length > params.limit && last !== undefined
        ? `${last.micros}-${last.run_number}-${last.seq}`
        : null,
  };
}

function parseCursor(cursor: string): readonly [micros: string, run: string, seq: string] {
  const match = /^(\d{1,17})-(\d{1,18})-(\d{1,9})$/.exec(cursor);
  if (match !== null) return [match[1] ?? "", match[2] ?? "", match[3] ?? ""];
  throw new AppError({
    code: "input.invalid",
    message: `"${cursor.slice(0, 100)}" is no cursor of this list.`,
    fix: "Send `nextCursor` of the page before, or none.",
    details: { field: "cursor" },
  });
}

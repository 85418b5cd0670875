import { cleanCut } from "../base/index.ts";
import { cleanBody, type RunState, type TranscriptBody, type TranscriptItem } from "../contract/index.ts";
import type { Notifier, Queryable } from "../store/index.ts";

/** LISTEN channel; the payload is `<run id> <last seq>`. */
const TRANSCRIPTS_CHANNEL = "miyabi_transcripts";

export interface AppendTranscriptParams {
  readonly runId: string;
  /** The fence of the writer; absent: any attempt. */
  readonly attempt?: number;
  /** At most 500 at once; what is not in `seq` order is stored all the same. */
  readonly items: readonly TranscriptItem[];
}

/*
 * The run's row is locked against its end, so that an item is stored before the run was taken away, or not at all.
 * An item that is there already stays as it is: the first report counts. What is acknowledged ends before the first
 * gap, because the host forgets what it reads as acknowledged; how far that is, the run's row knows, and only what
 * lies beyond is looked at.
 */
const APPEND = `
with run as (
    select id, transcript_seq from miyabi.runs
    where id = $1 and ($2::int is null or attempt = $2) and state not in ('lost', 'cancelled') for no key update),
  added as (
    insert into miyabi.transcripts (run_id, seq, at, body)
    select run.id, item.seq, item.at, item.body
    from run, jsonb_to_recordset($3::jsonb) as item (seq int, at timestamptz, body jsonb)
    on conflict (run_id, seq) do nothing returning seq),
  stored as (
    select seq, transcript_seq + row_number() over (order by seq) as position
    from run, lateral (
      select seq from added where seq > transcript_seq
      union all
      select seq from miyabi.transcripts where run_id = run.id and seq > transcript_seq) as known),
  last as (
    select coalesce(max(seq) filter (where seq = position), transcript_seq) as unbroken,
      coalesce(max(seq), transcript_seq) as seq
    from run left join stored on true group by transcript_seq),
  counted as (
    update miyabi.runs set transcript_seq = last.unbroken from last
    where id = $1 and last.unbroken > runs.transcript_seq)
select last.unbroken, case when exists (select 1 from added)
    then pg_notify('${TRANSCRIPTS_CHANNEL}', $1 || ' ' || last.seq) end as told
from run, last`;

/**
 * Stores items of a run, cleaned and cut, in the caller's transaction; each `seq` once, whatever is repeated.
 * Returns the highest `seq` up to which nothing is missing (0 for none), or `lost` where the run is unknown, of another
 * attempt, lost or cancelled.
 */
export async function appendTranscript(
  db: Queryable,
  params: Readonly<AppendTranscriptParams>,
): Promise<number | "lost"> {
  const items = params.items.map(({ seq, at, body }) => ({
    seq,
    at,
    // Hosts clean what they send, but a host may be on another machine or of another version.
    body: cleanBody(body, cleanCut),
  }));
  const { rows } = await db.query<{ unbroken: number }>(APPEND, [
    params.runId,
    params.attempt ?? null,
    JSON.stringify(items),
  ]);
  return rows[0]?.unbroken ?? "lost";
}

export interface TranscriptPage {
  readonly items: TranscriptItem[];
  /** Of the last item given, or `after` where there was none: where to go on. */
  readonly lastSeq: number;
  /** The run has ended and this page reaches its last item. */
  readonly ended: boolean;
}

const ENDED: readonly RunState[] = ["succeeded", "failed", "lost", "cancelled"];

/** Items after a sequence number, oldest first; null where there is no such run. */
export async function readTranscript(
  db: Queryable,
  params: { readonly runId: string; readonly after: number; readonly limit: number },
): Promise<TranscriptPage | null> {
  // The state is read first: what a run wrote before it ended is then surely among the items.
  const run = await db.query<{ state: RunState }>("select state from miyabi.runs where id = $1", [
    params.runId,
  ]);
  const state = run.rows[0]?.state;
  if (state === undefined) return null;
  const { rows } = await db.query<{ seq: number; at: Date; body: TranscriptBody }>(
    "select seq, at, body from miyabi.transcripts where run_id = $1 and seq > $2 order by seq limit $3",
    [params.runId, params.after, params.limit + 1],
  );
  const items = rows
    .slice(0, params.limit)
    .map((row) => ({ seq: row.seq, at: row.at.toISOString(), body: row.body }));
  return {
    items,
    lastSeq: items.at(-1)?.seq ?? params.after,
    ended: rows.length <= params.limit && ENDED.includes(state),
  };
}

/** `missed`: signals may have been lost; look at every run that matters. */
export type TranscriptNews =
  | { readonly kind: "appended"; readonly runId: string; readonly lastSeq: number }
  | { readonly kind: "missed" };

/** Calls `handler` when a run got new items, after their commit. Returns the function that ends it. */
export function followTranscripts(
  notifier: Pick<Notifier, "subscribe">,
  handler: (news: TranscriptNews) => void,
): () => void {
  return notifier.subscribe(TRANSCRIPTS_CHANNEL, (notification) => {
    if (notification.kind === "missed") return handler({ kind: "missed" });
    const match = /^(R\d+) (\d+)$/.exec(notification.payload);
    if (match?.[1] !== undefined) handler({ kind: "appended", runId: match[1], lastSeq: Number(match[2]) });
  });
}

import type { AttachmentView, ChatMessage, ChatNote, Reason } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";

interface MessageRow {
  readonly id: string;
  readonly thread_id: string;
  readonly parent_id: string | null;
  readonly role: ChatMessage["role"];
  readonly state: ChatMessage["state"];
  readonly content: string;
  readonly persona: string | null;
  readonly model: string | null;
  readonly note: ChatNote | null;
  readonly reason: Reason | null;
  readonly attempt: number;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly attachments: readonly AttachmentView[] | null;
  readonly calls: number;
  readonly known_calls: number;
  readonly priced: boolean | null;
  readonly tokens_in: number | null;
  readonly tokens_out: number | null;
  readonly cost_micros: number | null;
  readonly first_byte_ms: number | null;
  readonly compress_ratio: number | null;
  readonly retention: number | null;
  readonly prefix_stable_tokens: number | null;
  readonly steps: ChatMessage["steps"] | null;
}

/*
 * The ledger is the truth of tokens and cost: they are read there, and are null until every call of the message is in it.
 * A streaming message's text is in its chunks.
 */
const SELECT = `
select m.id, m.thread_id, m.parent_id, m.role, m.state, m.persona, m.model, m.note, m.reason, m.attempt, m.created_at, m.finished_at,
  case when m.state = 'streaming'
    then coalesce((select string_agg(c.text, '' order by c.start) from miyabi.chat_chunks c where c.message_id = m.id), '')
    else m.content end as content,
  (select jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name, 'mediaType', a.media_type, 'sizeBytes', a.size_bytes) order by l.position)
   from miyabi.chat_message_attachments l join miyabi.chat_attachments a on a.id = l.attachment_id where l.message_id = m.id) as attachments,
  cardinality(m.call_ids) as calls, u.*
from miyabi.chat_messages m, lateral (
  select count(*) filter (where chain_of is null or chain_of = id)::int as known_calls,
    bool_and(cost_micros is not null) as priced,
    (sum(tokens_in) filter (where chain_step is distinct from 'retention'))::int as tokens_in,
    (sum(tokens_out) filter (where chain_step is distinct from 'retention'))::int as tokens_out,
    sum(cost_micros)::float8 as cost_micros,
    (min(first_byte_ms) filter (where chain_of is null or chain_of = id))::int as first_byte_ms,
    (array_agg(compress_ratio order by started_at desc) filter (where compress_ratio is not null))[1] as compress_ratio,
    (array_agg(retention order by started_at desc) filter (where compress_ratio is not null))[1] as retention,
    (array_agg(prefix_stable_tokens order by started_at desc) filter (where compress_ratio is not null))[1]::int as prefix_stable_tokens,
    jsonb_agg(jsonb_build_object('name', chain_step, 'tokensIn', tokens_in, 'tokensOut', tokens_out)
      order by array_position(array['draft', 'critique', 'final'], chain_step)) filter (where chain = 'reflect') as steps
  from miyabi.model_calls where cardinality(m.call_ids) > 0 and (id = any(m.call_ids) or chain_of = any(m.call_ids))) u`;

/** Messages of a thread, oldest first; `ids`: only those. */
export async function readMessages(
  db: Queryable,
  threadId: string,
  ids: readonly string[] | null = null,
): Promise<ChatMessage[]> {
  const { rows } = await db.query<MessageRow>(
    `${SELECT} where m.thread_id = $1 and ($2::text[] is null or m.id = any($2)) order by m.number`,
    [threadId, ids],
  );
  return rows.map(messageOf);
}

function messageOf(row: MessageRow): ChatMessage {
  const known = row.calls > 0 && row.known_calls === row.calls;
  return {
    id: row.id,
    threadId: row.thread_id,
    parentId: row.parent_id,
    role: row.role,
    state: row.state,
    content: row.content,
    persona: row.persona,
    model: row.model,
    attachments: [...(row.attachments ?? [])],
    note: row.note,
    reason: row.reason,
    attempt: row.attempt,
    tokensIn: known ? row.tokens_in : null,
    tokensOut: known ? row.tokens_out : null,
    costMicros: known && row.priced === true ? row.cost_micros : null,
    // Of a reflected answer it would be the draft's, which nobody sees.
    firstTokenMs: known && row.steps === null ? row.first_byte_ms : null,
    steps: known ? [...(row.steps ?? [])] : [],
    compressRatio: known ? row.compress_ratio : null,
    retention: known ? row.retention : null,
    prefixStableTokens: known ? row.prefix_stable_tokens : null,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

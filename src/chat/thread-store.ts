import { AppError } from "../base/index.ts";
import type { ChatThread, ChatThreadItem } from "../contract/index.ts";
import type { Database, Queryable, Tx } from "../store/index.ts";

export interface ThreadRow {
  readonly id: string;
  readonly title: string;
  readonly persona: string | null;
  readonly model: string | null;
  readonly trim_tokens: number | null;
  readonly reflect: boolean;
  readonly leaf_id: string | null;
  readonly answering: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = `t.id, t.title, t.persona, t.model, t.trim_tokens, t.reflect, t.leaf_id, t.created_at, t.updated_at,
  exists (select 1 from miyabi.chat_messages s where s.thread_id = t.id and s.state = 'streaming') as answering`;
const CURSOR = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z) (\d+)$/;
/** Around the place where a search found something, in characters. */
const SHOWN_BEFORE = 30;
const SHOWN = 120;

export interface ListThreadsParams {
  readonly owner: string;
  readonly limit: number;
  readonly cursor: string | null;
  /** Part of a title or a message, whatever its case; null or blank: all. */
  readonly q: string | null;
}

/** Threads of a person, last used first. @throws input.invalid for a cursor that is none of ours */
export async function listThreads(
  db: Queryable,
  params: Readonly<ListThreadsParams>,
): Promise<{ readonly items: ChatThreadItem[]; readonly nextCursor: string | null }> {
  const [, before, number] = params.cursor === null ? [] : (CURSOR.exec(params.cursor) ?? []);
  if (params.cursor !== null && before === undefined)
    throw new AppError({
      code: "input.invalid",
      message: "cursor: it is not one of this list.",
      details: { field: "cursor" },
    });
  const wanted = params.q?.trim().toLowerCase() ?? "";
  const { rows } = await db.query<
    ThreadRow & { readonly number: string; readonly used: string; readonly found: string | null }
  >(
    `select ${COLUMNS}, t.number, to_char(t.updated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as used, f.found
     from miyabi.chat_threads t left join lateral (
       select substr(m.content, greatest(1, strpos(lower(m.content), $5) - ${SHOWN_BEFORE}), ${SHOWN}) as found
       from miyabi.chat_messages m where $5 <> '' and m.thread_id = t.id and strpos(lower(m.content), $5) > 0
       order by m.number desc limit 1) f on strpos(lower(t.title), $5) = 0
     where t.owner = $1 and ($2::timestamptz is null or (t.updated_at, t.number) < ($2::timestamptz, $3::bigint))
       and ($5 = '' or strpos(lower(t.title), $5) > 0 or f.found is not null)
     order by t.updated_at desc, t.number desc limit $4`,
    [params.owner, before ?? null, number ?? null, params.limit + 1, wanted],
  );
  const page = rows.slice(0, params.limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => ({ ...threadOf(row), found: row.found })),
    nextCursor: rows.length > params.limit && last !== undefined ? `${last.used} ${last.number}` : null,
  };
}

/** @throws not_found, also where the thread is somebody else's */
export async function readThread(db: Queryable, owner: string, id: string): Promise<ChatThread> {
  const { rows } = await db.query<ThreadRow>(
    `select ${COLUMNS} from miyabi.chat_threads t where t.id = $1 and t.owner = $2`,
    [id, owner],
  );
  return threadOf(required(rows[0], id));
}

/** The thread for the rest of the transaction: nothing is added to it meanwhile by anybody else. @throws not_found */
export async function lockThread(tx: Tx, owner: string, id: string): Promise<ChatThread> {
  await tx.query("select 1 from miyabi.chat_threads where id = $1 and owner = $2 for update", [id, owner]);
  return readThread(tx, owner, id);
}

/** What a thread is led with; null: none, the usual one, not trimmed. */
export interface ThreadChoice {
  readonly persona: string | null;
  readonly model: string | null;
  readonly trimTokens: number | null;
  readonly reflect: boolean;
}

export async function createThread(db: Queryable, owner: string, choice: ThreadChoice): Promise<ChatThread> {
  const { rows } = await db.query<{ id: string }>(
    "insert into miyabi.chat_threads (owner, persona, model, trim_tokens, reflect) values ($1, $2, $3, $4, $5) returning id",
    [owner, choice.persona, choice.model, choice.trimTokens, choice.reflect],
  );
  return readThread(db, owner, rows[0]?.id ?? "");
}

/** Fields that are absent stay. Counts as use of the thread only where `used` says so. */
export interface ThreadChange extends Partial<ThreadChoice> {
  readonly title?: string;
  readonly leafId?: string;
  readonly used?: boolean;
}

export async function changeThread(tx: Tx, id: string, change: Readonly<ThreadChange>): Promise<void> {
  await tx.query(
    `update miyabi.chat_threads set
       title = coalesce($2, title), persona = case when $3 then $4 else persona end,
       model = case when $5 then $6 else model end, leaf_id = coalesce($7, leaf_id),
       trim_tokens = case when $9 then $10 else trim_tokens end,
       reflect = coalesce($11, reflect),
       updated_at = case when $8 then clock_timestamp() else updated_at end
     where id = $1`,
    [
      id,
      change.title ?? null,
      change.persona !== undefined,
      change.persona ?? null,
      change.model !== undefined,
      change.model ?? null,
      change.leafId ?? null,
      change.used ?? false,
      change.trimTokens !== undefined,
      change.trimTokens ?? null,
      change.reflect ?? null,
    ],
  );
}

/** Removes the thread with all that is in it; attachments that no message has any more go with the next sweep. @throws not_found */
export async function deleteThread(db: Database, owner: string, id: string): Promise<void> {
  const { rowCount } = await db.query("delete from miyabi.chat_threads where id = $1 and owner = $2", [
    id,
    owner,
  ]);
  if (rowCount === 0) required(undefined, id);
}

function required(row: ThreadRow | undefined, id: string): ThreadRow {
  if (row !== undefined) return row;
  throw new AppError({ code: "not_found", message: `There is no thread ${id} of yours.` });
}

function threadOf(row: ThreadRow): ChatThread {
  return {
    id: row.id,
    title: row.title,
    persona: row.persona,
    model: row.model,
    trimTokens: row.trim_tokens,
    reflect: row.reflect,
    leafId: row.leaf_id,
    answering: row.answering,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

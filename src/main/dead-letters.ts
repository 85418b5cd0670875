import { AppError } from "../base/index.ts";
import type { DeadLetterView } from "../contract/index.ts";
import { MESSAGES_CHANNEL } from "../messages/index.ts";
import { GITHUB_DELIVERIES_CHANNEL } from "../sources/index.ts";
import { notify, type Database, type Queryable, type Tx } from "../store/index.ts";
import { appendEvents, OUTBOX_CHANNEL } from "../tasks/index.ts";

type Kind = DeadLetterView["kind"];

/** What was given up after its last try, wherever; a person tries it again or discards it. */
export interface DeadLetters {
  /** The newest first. @throws input.invalid for a cursor that is none. */
  list(params: {
    readonly kind?: Kind | undefined;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly items: DeadLetterView[]; readonly nextCursor: string | null }>;
  /** @throws not_found */
  get(id: string): Promise<DeadLetterView & { readonly content: string }>;
  /** Safe: what an earlier try has brought about is found again. @throws not_found; conflict.state where its task has ended. */
  retry(id: string, by: string): Promise<DeadLetterView>;
  /** @throws not_found */
  discard(id: string, by: string): Promise<DeadLetterView>;
  count(): Promise<number>;
}

interface Row {
  readonly id: string;
  readonly kind: Kind;
  readonly what: string;
  readonly target: string;
  readonly task_id: string | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly created_at: Date;
  readonly died_at: Date;
}

const LETTERS = `
select 'outbox-' || number as id, 'outbox' as kind, kind as what, target, task_id, error, attempts, created_at, coalesce(finished_at, created_at) as died_at
  from miyabi.outbox where state = 'dead' and discarded_at is null
union all
select 'webhook-' || id, 'webhook', event, 'delivery ' || id, null, error, attempts, received_at, coalesce(finished_at, received_at)
  from miyabi.github_deliveries where state = 'dead' and discarded_at is null
union all
select 'message-' || id, 'message', sender, recipient, task_id, dead_reason, attempts, created_at, coalesce(delivered_at, created_at)
  from miyabi.messages where state = 'dead' and discarded_at is null`;

const SOURCES: Readonly<
  Record<
    Kind,
    { readonly table: string; readonly key: string; readonly content: string; readonly revive: string }
  >
> = {
  outbox: {
    table: "miyabi.outbox",
    key: "number::text",
    content: "jsonb_pretty(payload)",
    // One try has been: the effect is looked for before anything is sent.
    revive: "state = 'pending', attempts = 1, due_at = now(), finished_at = null",
  },
  webhook: {
    table: "miyabi.github_deliveries",
    key: "id",
    content: "convert_from(body, 'utf8')",
    revive: "state = 'pending', attempts = 0, due_at = now(), finished_at = null",
  },
  message: {
    table: "miyabi.messages",
    key: "id",
    content: "body",
    revive: "state = 'queued', attempts = 0, retry_at = null, dead_reason = null",
  },
};

const LONGEST_CONTENT = 20_000;
/** Effects that are decisions of their task and not just a picture of it. */
const DECIDED: readonly string[] = ["pull-request", "merge"];

export function createDeadLetters({ database }: { readonly database: Database }): DeadLetters {
  /** Ends its being dead, and says who did it. */
  const handle = (
    id: string,
    by: string,
    action: "retried" | "discarded",
    change: string,
  ): Promise<DeadLetterView> =>
    database.transaction(async (tx) => {
      const { source, key } = placeOf(id);
      // Of two people at once the later one finds it gone.
      await tx.query(`select 1 from ${source.table} where ${source.key} = $1 for update`, [key]);
      const letter = await find(tx, id);
      if (action === "retried") await requireOpen(tx, letter);
      await tx.query(`update ${source.table} set ${change} where ${source.key} = $1`, [key]);
      await appendEvents(tx, [
        {
          type: "dead_letter.changed",
          taskId: letter.taskId,
          data: { id, kind: letter.kind, what: letter.what, target: letter.target, action, by },
        },
      ]);
      if (action === "retried") await wake(tx, letter);
      return letter;
    });

  return {
    list: async ({ kind, cursor, limit }) => {
      const before = cursor === undefined ? null : parseCursor(cursor);
      const { rows } = await database.query<Row>(
        `select * from (${LETTERS}) letters where ($1::text is null or kind = $1)
           and ($2::timestamptz is null or (date_trunc('milliseconds', died_at), id) < ($2, $3))
         order by date_trunc('milliseconds', died_at) desc, id desc limit $4`,
        [kind ?? null, before?.at ?? null, before?.id ?? null, limit + 1],
      );
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        items: rows.slice(0, limit).map(toView),
        nextCursor: last === undefined ? null : `${last.died_at.getTime()}_${last.id}`,
      };
    },
    get: async (id) => {
      const letter = await find(database, id);
      const { source, key } = placeOf(id);
      const { rows } = await database.query<{ content: string | null }>(
        `select left(${source.content}, ${LONGEST_CONTENT}) as content from ${source.table} where ${source.key} = $1`,
        [key],
      );
      return { ...letter, content: rows[0]?.content ?? "" };
    },
    retry: (id, by) => handle(id, by, "retried", placeOf(id).source.revive),
    discard: (id, by) => handle(id, by, "discarded", "discarded_at = now()"),
    count: async () => {
      const { rows } = await database.query<{ count: number }>(
        `select count(*)::int as count from (select 1 from (${LETTERS}) letters limit 1000) counted`,
      );
      return rows[0]?.count ?? 0;
    },
  };
}

const gone = (id: string): AppError =>
  new AppError({
    code: "not_found",
    message: `There is no dead letter ${id}: somebody may have handled it.`,
    fix: "miyabi dead-letters list",
  });

function placeOf(id: string): { readonly source: (typeof SOURCES)[Kind]; readonly key: string } {
  const [, kind, key] = /^(outbox|webhook|message)-(.+)$/.exec(id) ?? [];
  if (kind === undefined || key === undefined) throw gone(id);
  return { source: SOURCES[kind as Kind], key };
}

async function find(db: Queryable, id: string): Promise<DeadLetterView> {
  const { rows } = await db.query<Row>(`select * from (${LETTERS}) letters where id = $1`, [id]);
  if (rows[0] === undefined) throw gone(id);
  return toView(rows[0]);
}

/** A pull request or a merge of a task that has ended would bring about what nobody wants any more. */
async function requireOpen(db: Queryable, letter: DeadLetterView): Promise<void> {
  if (letter.kind !== "outbox" || !DECIDED.includes(letter.what) || letter.taskId === null) return;
  const { rows } = await db.query<{ state: string }>("select state from miyabi.tasks where id = $1", [
    letter.taskId,
  ]);
  const state = rows[0]?.state ?? "gone";
  if (!["gone", "done", "failed", "cancelled"].includes(state)) return;
  throw new AppError({
    code: "conflict.state",
    message: `${letter.taskId} is ${state}: its ${letter.what} is wanted no more.`,
    fix: `miyabi task retry ${letter.taskId}, or miyabi dead-letters discard ${letter.id}`,
  });
}

async function wake(tx: Tx, letter: DeadLetterView): Promise<void> {
  if (letter.kind === "outbox") await notify(tx, OUTBOX_CHANNEL, "");
  if (letter.kind === "webhook") await notify(tx, GITHUB_DELIVERIES_CHANNEL, "");
  if (letter.kind === "message") await notify(tx, MESSAGES_CHANNEL, letter.target);
}

function parseCursor(cursor: string): { readonly at: Date; readonly id: string } {
  const [, at, id] = /^(\d{1,15})_(\S{1,120})$/.exec(cursor) ?? [];
  if (at === undefined || id === undefined)
    throw new AppError({ code: "input.invalid", message: "This cursor is none of ours." });
  return { at: new Date(Number(at)), id };
}

const toView = (row: Row): DeadLetterView => ({
  id: row.id,
  kind: row.kind,
  what: row.what,
  target: row.target,
  taskId: row.task_id,
  error: row.error ?? "",
  attempts: row.attempts,
  createdAt: row.created_at.toISOString(),
  diedAt: row.died_at.toISOString(),
});

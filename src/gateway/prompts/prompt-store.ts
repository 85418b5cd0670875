import { messageOf, type Clock, type Log } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import { storable } from "../ledger-store.ts";

/** What is kept of the content of a call. */
export interface StoredPrompt {
  readonly callId: string;
  /** JSON, redacted, its middle left out where `isCut`. */
  readonly request: string;
  /** Null: no answer that could be read. */
  readonly answer: string | null;
  /** As they were sent. */
  readonly requestBytes: number;
  readonly answerBytes: number | null;
  readonly isCut: boolean;
  readonly createdAt: Date;
}

export interface PromptStore {
  /** Writes in the background; what the database does not take is lost, and the log says so. */
  add(prompt: Omit<StoredPrompt, "createdAt">): void;
  /** Null: nothing is kept of this call. */
  get(callId: string): Promise<StoredPrompt | null>;
  /** Removes what is older than `retentionDays`, then the oldest beyond `maxBytes`. */
  sweep(limits: { readonly retentionDays: number; readonly maxBytes: number }): Promise<void>;
  /** What was added is written, or lost. */
  settled(): Promise<void>;
}

const MOST_WAITING = 500;
const ROW_BYTES = 200;

/** Prompts in the database. A SIGKILL loses those of the last moments, never a ledger row. */
export function createPromptStore(
  params: Readonly<{ database: Queryable; clock: Pick<Clock, "now">; log: Log }>,
): PromptStore {
  const { database, log } = params;
  const writing = new Set<Promise<unknown>>();

  const write = (prompt: Omit<StoredPrompt, "createdAt">): Promise<unknown> =>
    database.query(
      `insert into miyabi.gateway_prompts
         (call_id, request, answer, request_bytes, answer_bytes, is_cut, size_bytes, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (call_id) do nothing`,
      [
        prompt.callId,
        storable(prompt.request),
        storable(prompt.answer),
        prompt.requestBytes,
        prompt.answerBytes,
        prompt.isCut,
        Buffer.byteLength(prompt.request) + Buffer.byteLength(prompt.answer ?? "") + ROW_BYTES,
        params.clock.now(),
      ],
    );

  return {
    add: (prompt) => {
      if (writing.size >= MOST_WAITING)
        return log.warn({ call: prompt.callId }, "prompt not kept: too many wait for the database");
      const written = write(prompt).catch((error: unknown) =>
        log.warn({ call: prompt.callId, error: messageOf(error) }, "prompt not kept"),
      );
      writing.add(written);
      void written.finally(() => writing.delete(written));
    },
    get: async (callId) => {
      const { rows } = await database.query<StoredPrompt>(
        `select call_id as "callId", request, answer, request_bytes as "requestBytes", answer_bytes as "answerBytes",
           is_cut as "isCut", created_at as "createdAt"
         from miyabi.gateway_prompts where call_id = $1`,
        [callId],
      );
      return rows[0] ?? null;
    },
    sweep: async ({ retentionDays, maxBytes }) => {
      await database.query(
        "delete from miyabi.gateway_prompts where created_at < now() - $1::int * interval '1 day'",
        [retentionDays],
      );
      await database.query(
        `delete from miyabi.gateway_prompts where call_id in (
           select call_id from (
             select call_id, sum(size_bytes) over (order by created_at desc, call_id) as total
             from miyabi.gateway_prompts) as kept
           where total > $1)`,
        [maxBytes],
      );
    },
    settled: async () => {
      await Promise.allSettled(writing);
    },
  };
}

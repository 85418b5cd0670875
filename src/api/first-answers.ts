import { createHash } from "node:crypto";
import { AppError } from "../base/index.ts";
import type { Database } from "../store/index.ts";

interface AnswerParams {
  readonly caller: string;
  readonly route: string;
  readonly key: string;
  /** Everything that makes the request what it is. */
  readonly request: unknown;
  readonly answer: () => Promise<unknown>;
}

/** Gives the first answer again to a request that is repeated with the same `Idempotency-Key`. */
export interface FirstAnswers {
  /**
   * Repeats at the same time wait for the first. Only successes are kept, for a day. Where the process dies between the
   * work and the keeping, a repeat does the work again: every route refuses or ignores a second time by its own state.
   * @throws conflict.state where the key was used for another request; whatever `answer` throws.
   */
  answer(params: Readonly<AnswerParams>): Promise<unknown>;
}

export function createFirstAnswers(database: Database): FirstAnswers {
  const running = new Map<string, { readonly hash: string; readonly result: Promise<unknown> }>();

  const compute = async (id: string, hash: string, params: Readonly<AnswerParams>): Promise<unknown> => {
    const { rows } = await database.query<{ request_hash: string; answer: unknown }>(
      "select request_hash, answer from miyabi.first_answers where key = $1 and created_at > now() - interval '1 day'",
      [id],
    );
    const known = rows[0];
    if (known !== undefined) {
      if (known.request_hash !== hash) throw usedBefore(params.key);
      return known.answer;
    }
    const answer = await params.answer();
    await database.query(
      `with old as (delete from miyabi.first_answers where created_at <= now() - interval '1 day')
       insert into miyabi.first_answers (key, request_hash, answer) values ($1, $2, $3) on conflict (key) do nothing`,
      [id, hash, JSON.stringify(answer)],
    );
    return answer;
  };

  return {
    answer: async (params) => {
      const id = hashOf([params.caller, params.route, params.key]);
      const hash = hashOf(params.request);
      const other = running.get(id);
      if (other !== undefined) {
        if (other.hash !== hash) throw usedBefore(params.key);
        return other.result;
      }
      const result = compute(id, hash, params);
      running.set(id, { hash, result });
      try {
        return await result;
      } finally {
        running.delete(id);
      }
    },
  };
}

const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

function usedBefore(key: string): AppError {
  return new AppError({
    code: "conflict.state",
    message: `The idempotency key "${key}" was used for another request.`,
    fix: "Send a new key with a new request.",
    details: { field: "idempotency-key", value: key },
  });
}

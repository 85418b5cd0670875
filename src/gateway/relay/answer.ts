import type { Observation } from "../usage/usage.ts";

/**
 * How a call ended. `ok`: the whole answer passed. `rejected`: the provider answered with an error, which passed.
 * `failed`: no answer, or the answer itself says inside its stream that it failed. `cut`: the answer broke off.
 * `aborted`: the caller went away.
 */
export const CALL_OUTCOMES = ["ok", "rejected", "failed", "cut", "aborted"] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** What became of an answer that the caller has begun to get, or would have got. */
export interface Delivered {
  readonly outcome: CallOutcome;
  /** What the caller got; null where it got no status line. */
  readonly status: number | null;
  /** Milliseconds from the start of the try to the first byte of the answer's body; null where none came. */
  readonly firstByteMs: number | null;
  /** Whether the request reached a connection, so that the provider may have worked on it. */
  readonly sent: boolean;
  /** One sentence of ours, never a provider's text; null when all went well. */
  readonly error: string | null;
  /** Null where no answer came. */
  readonly observation: Observation | null;
  /** Bytes of the answer's body that came from the provider. */
  readonly bytes: number;
}

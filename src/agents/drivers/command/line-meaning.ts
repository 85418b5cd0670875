import type { TranscriptBody } from "../../../contract/index.ts";

/** What one line of output means. */
export interface LineMeaning {
  readonly events: readonly TranscriptBody[];
  readonly usage?: { readonly tokensIn: number; readonly tokensOut: number };
  /** The program says that its turn failed. */
  readonly error?: string;
  /** The program's own id of its session. */
  readonly sessionId?: string;
}

/** Reads one parsed JSON line; null where it is none that we know. */
export type LineParser = (value: unknown) => LineMeaning | null;

import type { TranscriptItem } from "../../contract/index.ts";

/** What the control side of the agents needs from other folders; `main` wires it. */

/** Transcripts of runs. */
export interface TranscriptSink {
  /** Stores items once each, whatever is repeated. `lost` where the run was taken away. */
  append(params: {
    readonly runId: string;
    readonly attempt: number;
    readonly items: readonly TranscriptItem[];
  }): Promise<number | "lost">;
}

/** Permission requests that a person decides. */
export interface PermissionDesk {
  /** Idempotent by run and request; the host is told the answer when (or if already) answered. `lost`: nobody is asked for a run that has ended. */
  ask(params: {
    readonly runId: string;
    readonly attempt: number;
    readonly requestId: string;
    /** Its slot. */
    readonly asker: string;
    readonly title: string;
    readonly options: readonly { readonly id: string; readonly name: string; readonly kind: string }[];
  }): Promise<"asked" | "lost">;
}

/** Mailboxes of the agents. */
export interface Mailboxes {
  /** The agent's session took the message. Idempotent. */
  delivered(messageId: string): Promise<void>;
}

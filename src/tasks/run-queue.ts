import type { Tx } from "../store/index.ts";

/** Dispatch of runs, on pg-boss. A job is only the message "this run may be taken"; the run's row is the truth. */
export interface RunQueue {
  /** Queues a run in the transaction that created it. */
  add(
    tx: Tx,
    queue: string,
    job: { readonly id: string; readonly runId: string; readonly priority: number; readonly delayMs: number },
  ): Promise<void>;
  /** Takes the job of highest priority and completes it in the same transaction; null where none is due. */
  take(tx: Tx, queue: string): Promise<{ readonly runId: string } | null>;
  /** Removes a job that is not taken yet; no error where it is gone. */
  remove(tx: Tx, queue: string, jobId: string): Promise<void>;
}

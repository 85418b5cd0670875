import type { Queue, Tx } from "../store/index.ts";

type RunJobs = Readonly<Record<string, { readonly runId: string }>>;

interface NewJob {
  readonly id: string;
  readonly runId: string;
  readonly priority: number;
  readonly delayMs: number;
}

/** Dispatch of runs, on pg-boss. A job is only the message "this run may be taken"; the run's row is the truth. */
export interface RunQueue {
  /** Queues a run in the transaction that created it. */
  add(tx: Tx, queue: string, job: Readonly<NewJob>): Promise<void>;
  /** Takes the due job of highest priority for good, in this transaction; null where none is due. */
  take(tx: Tx, queue: string): Promise<{ readonly runId: string } | null>;
  /** Changes the priority of a run that still waits; nothing where it was taken. */
  reprioritise(tx: Tx, queue: string, runId: string, priority: number): Promise<void>;
  /** Removes a job that is not taken yet; no error where it is gone. */
  remove(tx: Tx, queue: string, jobId: string): Promise<void>;
}

/** Name of pg-boss's queue for a role (or `check`). */
export const bossQueueName = (queue: string): string => `run-${queue}`;

export function createRunQueue(queue: Queue<RunJobs>): RunQueue {
  return {
    add: async (tx, name, job) => {
      await queue.send(tx, {
        queue: bossQueueName(name),
        id: job.id,
        data: { runId: job.runId },
        priority: job.priority,
        singletonKey: job.runId,
        ...(job.delayMs > 0 ? { startAfter: Math.ceil(job.delayMs / 1000) } : {}),
      });
    },
    take: async (tx, name) => {
      const [job] = await queue.fetch(tx, { queue: bossQueueName(name), limit: 1 });
      if (job === undefined) return null;
      await queue.remove(tx, bossQueueName(name), [job.id]);
      return job.data;
    },
    reprioritise: async (tx, name, runId, priority) => {
      await queue.reschedule(tx, { queue: bossQueueName(name), singletonKey: runId, priority });
    },
    remove: async (tx, name, jobId) => {
      await queue.remove(tx, bossQueueName(name), [jobId]);
    },
  };
}

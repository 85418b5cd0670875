import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/index.ts";
import type { Caller } from "./caller.ts";

/** Whom a run key stands for. */
export interface RunCaller {
  readonly runId: string;
  readonly taskId: string;
  /** Of its task, USD × 10⁻⁶; null: what the settings say. */
  readonly budgetMicros: number | null;
}

/** Finds who shows a key; null: nobody we know, or nobody any more. */
export type Identify = (key: string) => Promise<Caller | null>;

/** How long an answer is believed, so that a busy agent does not ask the database for every call. */
const BELIEVED_MS = 1_000;
const MOST_REMEMBERED = 10_000;

/** Remembers known callers for a second; what is unknown is asked for every time. */
export function remember(
  identify: Identify,
  clock: Pick<Clock, "monotonicMs">,
): Identify & { forget(): void } {
  const known = new LRUCache<string, { readonly caller: Caller; readonly atMs: number }>({
    max: MOST_REMEMBERED,
  });
  const find = async (key: string): Promise<Caller | null> => {
    // The key itself is not kept.
    const id = hash("sha256", key, "base64");
    const nowMs = clock.monotonicMs();
    const entry = known.get(id);
    if (entry !== undefined && nowMs - entry.atMs < BELIEVED_MS) return entry.caller;
    const caller = await identify(key);
    if (caller === null) known.delete(id);
    else known.set(id, { caller, atMs: nowMs });
    return caller;
  };
  return Object.assign(find, { forget: () => known.clear() });
}

/** A run as a caller: any model, no limits of its own but those of the installation. */
export function runCaller(run: RunCaller, cache: boolean): Caller {
  return {
    keyId: null,
    keyName: null,
    kind: "run",
    label: `run ${run.runId}`,
    runId: run.runId,
    taskId: run.taskId,
    team: null,
    models: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    budgets: { dayMicros: null, monthMicros: null, taskMicros: run.budgetMicros },
    cache,
  };
}

import { messageOf, type Clock, type Log } from "../../base/index.ts";
import { ENDPOINTS } from "../endpoints.ts";
import type { Alarms } from "../relay/alarms.ts";
import type { Watch } from "../relay/watch.ts";
import type { Target } from "../routing/choose-targets.ts";
import { contentTexts } from "../trim/content-texts.ts";
import { createRetention, type Embed } from "../trim/retention.ts";
import { objectOf } from "../usage/usage.ts";
import { askDocument, type Within } from "./ask-within.ts";
import type { Call, Next } from "./call.ts";

interface MeasureParams {
  readonly within: Within;
  /** For the calls of embeddings: budgets, then the provider. */
  readonly next: Next;
  /** Where embeddings of a model are made; null: nowhere. */
  readonly targetsOf: (call: Call, model: string) => Promise<readonly Target[] | null>;
  /** Writes the figure to the row of a call, whenever that is there. */
  readonly note: (callId: string, retention: number) => Promise<void>;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RetentionMeter {
  /** Begins in the background, after the call; where too much is being measured, or nothing is configured, not at all. */
  measure(call: Call, trimmed: Buffer, field: string): void;
  /** Gives up what is being measured. */
  stop(): Promise<void>;
}

const MOST_AT_ONCE = 4;
const LONGEST_MS = 30_000;

/** Measures what trimming has left of a request's meaning; never in the way of a call. */
export function createRetentionMeter(params: Readonly<MeasureParams>): RetentionMeter {
  const retentionOf = createRetention();
  const running = new Set<Promise<void>>();
  const watches = new Set<QuietWatch>();
  let stopped = false;
  const endpoint = ENDPOINTS.find(({ name }) => name === "embeddings");

  const measure = async (call: Call, trimmed: Buffer, field: string, model: string): Promise<void> => {
    if (endpoint === undefined) return;
    const targets = await params.targetsOf({ ...call, endpoint, dialect: "openai" }, model);
    if (targets === null) return;
    const watch = quietWatch(params.alarms);
    watches.add(watch);
    const embed: Embed = async (input) => {
      const answer = await askDocument(params.within, {
        call,
        next: params.next,
        body: { model, input },
        step: { name: "trim", step: "retention" },
        to: { model, targets, endpoint, dialect: "openai", operation: null, query: "", watch },
      });
      return answer === null ? null : vectorsOf(answer["data"]);
    };
    try {
      const retention = await retentionOf({
        before: contentTexts(call.body, field),
        after: contentTexts(trimmed, field),
        embed,
        scope: model,
      });
      if (retention !== null) await params.note(call.id, retention);
    } finally {
      watch.stop();
      watches.delete(watch);
    }
  };

  return {
    measure: (call, trimmed, field) => {
      const { retention } = call.settings.trim;
      if (stopped || retention === null || running.size >= MOST_AT_ONCE) return;
      const work = measure(call, trimmed, field, retention.model).catch((error: unknown) =>
        params.log.warn({ call: call.id, error: messageOf(error) }, "retention not measured"),
      );
      running.add(work);
      void work.finally(() => running.delete(work));
    },
    stop: async () => {
      stopped = true;
      for (const watch of watches) watch.end();
      await Promise.allSettled(running);
    },
  };
}

/** In the order of the inputs; null: this is no answer of embeddings. */
function vectorsOf(data: unknown): readonly (readonly number[])[] | null {
  if (!Array.isArray(data)) return null;
  const rows = data.map(objectOf).sort((a, b) => Number(a["index"]) - Number(b["index"]));
  const vectors = rows.map(({ embedding }) =>
    Array.isArray(embedding) ? embedding.filter((one): one is number => typeof one === "number") : [],
  );
  return vectors.every((vector) => vector.length > 0) ? vectors : null;
}

type QuietWatch = Watch & { readonly end: () => void };

/** Of a call that nobody waits for. */
function quietWatch(alarms: Alarms): QuietWatch {
  const over = new AbortController();
  let cancel = (): void => {};
  const watch: QuietWatch = {
    get ended() {
      return over.signal.aborted ? ("timeout" as const) : null;
    },
    signal: over.signal,
    listener: null,
    stop: () => cancel(),
    end: () => {
      over.abort();
      watch.listener?.("timeout");
    },
  };
  cancel = alarms.set(LONGEST_MS, watch.end);
  return watch;
}

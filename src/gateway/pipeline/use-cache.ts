import { createHash } from "node:crypto";
import { messageOf, type Clock, type Log } from "../../base/index.ts";
import type { CachedAnswer } from "../cache/cache-backend.ts";
import type { CacheStore } from "../cache/cache-store.ts";
import { canonicalRequest } from "../cache/canonical-request.ts";
import { replay } from "../cache/replay.ts";
import { copyToBoth, createAnswerCopy } from "../relay/answer-copy.ts";
import type { TokenUsage } from "../usage/usage.ts";
import type { Call, CallResult, Next, Stage } from "./call.ts";
import type { Caller } from "./caller.ts";
import { abandoned } from "./refuse.ts";

interface CacheStageParams {
  readonly store: CacheStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Headers that change what a provider answers. */
const TELLING_HEADERS = ["anthropic-beta", "anthropic-version", "openai-beta"] as const;
const MOST_TAGS = 20;
const NO_TOKENS: TokenUsage = {
  input: 0,
  output: 0,
  cacheRead: null,
  cacheWrite: null,
  cacheWriteHour: null,
  reasoning: null,
  webSearches: null,
};

/**
 * Answers a call from the cache where its key opted in and exactly the same was asked before; else lets it through once,
 * while others that ask the same wait for that answer, and keeps the answer where it is good and complete.
 */
export function createCacheStage(params: Readonly<CacheStageParams>): Stage {
  const { store, clock, log } = params;
  const underWay = new Map<string, Promise<CachedAnswer | null>>();

  const find = async (hash: string): Promise<CachedAnswer | null> => {
    try {
      return await store.get(hash);
    } catch (error) {
      log.warn({ error: messageOf(error) }, "cache not read");
      return null;
    }
  };

  const give = async (call: Call, answer: CachedAnswer, how: "hit" | "joined"): Promise<CallResult> => {
    const ageSeconds = Math.max(0, Math.floor((clock.now().getTime() - answer.createdAt.getTime()) / 1000));
    const firstByteMs = clock.monotonicMs() - call.startedMs;
    call.copy?.begin(answer.contentType);
    call.copy?.push(answer.body);
    await replay(call.response, answer, {
      ...call.answerHeaders,
      "x-miyabi-cache": how,
      age: String(ageSeconds),
    });
    return {
      ...abandoned(call, { target: null, attempts: 0, sent: false }),
      outcome: call.watch.ended === "gone" ? "aborted" : "ok",
      status: 200,
      firstByteMs,
      error: null,
      cache: how,
      target: call.targets[0] ?? null,
      observation: {
        model: null,
        usage: NO_TOKENS,
        complete: true,
        ended: true,
        failed: false,
        malformed: false,
      },
    };
  };

  /** Lets the call through and keeps what comes back. */
  const lead = async (call: Call, hash: string, next: Next, done: (kept: CachedAnswer | null) => void) => {
    const { cache } = call.settings;
    const copy = createAnswerCopy(cache.maxEntryBytes);
    const { epoch } = store;
    let kept: CachedAnswer | null = null;
    try {
      call.answerHeaders["x-miyabi-cache"] = "miss";
      const result = await next({ ...call, copy: copyToBoth(call.copy, copy) });
      const whole = result.outcome === "ok" && result.status === 200 ? copy.whole() : null;
      if (whole !== null && epoch === store.epoch) {
        kept = { ...whole, createdAt: clock.now() };
        const entry = {
          ...whole,
          hash,
          scope: scopeOf(call.caller),
          keyId: call.caller.keyId,
          model: call.model,
        };
        store
          .put({ ...entry, tags: tagsOf(call), ttlSeconds: cache.ttlSeconds })
          .catch((error: unknown) => log.warn({ error: messageOf(error) }, "answer not kept"));
      }
      return { ...result, cache: result.cache ?? ("miss" as const) };
    } finally {
      done(kept);
    }
  };

  return async (call, next) => {
    if (!call.caller.cache || call.endpoint.usage === "none") return next(call);
    const hash = hashOf(call);
    if (hash === null) return next(call);
    for (let waited = false; ; waited = true) {
      const leader = underWay.get(hash);
      if (leader === undefined) {
        const answer = waited ? null : await find(hash);
        if (answer !== null) return give(call, answer, "hit");
        // Somebody else may have begun while we looked.
        if (underWay.has(hash)) continue;
        let done: (kept: CachedAnswer | null) => void = () => {};
        underWay.set(hash, new Promise((resolve) => (done = resolve)));
        return lead(call, hash, next, (kept) => {
          underWay.delete(hash);
          done(kept);
        });
      }
      const answer = await unlessGone(call, leader);
      if (call.watch.ended === "gone") return abandoned(call, { target: null, attempts: 0, sent: false });
      if (answer !== null) return give(call, answer, "joined");
    }
  };
}

function unlessGone(call: Call, answer: Promise<CachedAnswer | null>): Promise<CachedAnswer | null> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(null);
    call.watch.signal.addEventListener("abort", gone, { once: true });
    void answer.then((found) => {
      call.watch.signal.removeEventListener("abort", gone);
      resolve(found);
    });
  });
}

/** Who may see one another's answers: keys of one team, runs of agents, else a key only its own. */
function scopeOf(caller: Caller): string {
  if (caller.team !== null) return `team:${caller.team}`;
  return caller.keyId === null ? "runs" : `key:${caller.keyId}`;
}

function hashOf(call: Call): string | null {
  const canonical = canonicalRequest(call.body, call.settings.cache.volatileFields);
  if (canonical === null) return null;
  const told = TELLING_HEADERS.map((name) => call.request.headers[name] ?? "");
  const parts = [
    scopeOf(call.caller),
    call.endpoint.name,
    call.operation,
    call.model,
    call.query,
    ...told,
    canonical,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Of the header `x-miyabi-cache-tags`, by which entries can be invalidated. */
function tagsOf(call: Call): readonly string[] {
  const header = call.request.headers["x-miyabi-cache-tags"];
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "" && tag.length <= 100)
    .slice(0, MOST_TAGS);
}

import { createLoop, messageOf, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import type { ChatMessageState, Reason } from "../contract/index.ts";
import type { Database, Notifier } from "../store/index.ts";
import {
  announceChange,
  claimAnswer,
  endAnswer,
  isOurs,
  noteCall,
  noteModel,
  releaseAnswers,
  type ClaimedAnswer,
} from "./answer-store.ts";
import { createAnswerWriter } from "./answer-writer.ts";
import { attachmentsOf, sweepAttachments } from "./attachments.ts";
import { pathTo } from "./branches.ts";
import { createForbidFilter } from "./forbid.ts";
import { readMessages } from "./message-rows.ts";
import { callModel, type CallEnd, type ModelMessage } from "./model-call.ts";
import { followChat } from "./news.ts";
import type { Persona } from "./persona.ts";
import { promptOf } from "./prompt.ts";
import { chatReason } from "./reasons.ts";

export interface TurnParams {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Name of the installation: what its last control plane left is taken up at the start. */
  readonly holder: string;
  readonly gatewayUrl: string;
  readonly findPersona: (name: string) => Persona | null;
  /** The virtual key under which a person's calls are booked. */
  readonly keyOf: (person: string) => Promise<string>;
  /** Model for who chose none; null: none can be called. */
  readonly defaultModel: (person: string) => Promise<string | null>;
}

/** Writes the answers that were asked for. */
export interface Turns extends Service {
  /** There is something to write. */
  wake(): void;
}

type End = { readonly state: Exclude<ChatMessageState, "streaming">; readonly reason: Reason | null };

const LOOK_MS = 2_000;
const MOST_AT_ONCE = 32;
const MOST_ATTEMPTS = 4;
const SWEEP_MS = 60 * 60_000;
const LEDGER_LOOKS = 20;
const LEDGER_PAUSE_MS = 250;

export function createTurns(params: Readonly<TurnParams>): Turns {
  const { database, clock, log } = params;
  const running = new Map<string, { readonly abort: AbortController; readonly answer: ClaimedAnswer }>();
  const working = new Set<Promise<void>>();
  let stopping = new AbortController();
  let unfollow: (() => void) | null = null;
  let sweptMs = -Infinity;
  let started = false;

  const loop = createLoop({
    name: "chat turns",
    intervalMs: LOOK_MS,
    clock,
    random: params.random,
    log,
    tick: async (signal) => {
      while (!signal.aborted && running.size < MOST_AT_ONCE) {
        const answer = await claimAnswer(database, params.holder);
        if (answer === null) break;
        begin(answer);
      }
      if (clock.monotonicMs() - sweptMs < SWEEP_MS) return;
      sweptMs = clock.monotonicMs();
      await sweepAttachments(database);
    },
  });

  const begin = (answer: ClaimedAnswer): void => {
    const abort = new AbortController();
    running.set(answer.messageId, { abort, answer });
    track(
      write(answer, abort).finally(() => {
        running.delete(answer.messageId);
        loop.wake();
      }),
    );
  };

  const track = (work: Promise<void>): void => {
    const tracked = work
      // The lease runs out, and the answer is taken up again.
      .catch((error: unknown) => log.error({ error: messageOf(error) }, "chat answer not written"))
      .finally(() => working.delete(tracked));
    working.add(tracked);
  };

  const write = async (answer: ClaimedAnswer, abort: AbortController): Promise<void> => {
    if (answer.attempt > MOST_ATTEMPTS) {
      const reason = chatReason("chat.interrupted", "It was interrupted too often.");
      await endAnswer(database, answer, { state: "failed", reason });
      return;
    }
    const prepared = await prepare(answer);
    if (prepared === null) {
      const reason = chatReason("chat.no_model", "No model can be called: no provider has a key.");
      await endAnswer(database, answer, { state: "failed", reason });
      return;
    }
    const end = await ask(answer, prepared, abort);
    if (end === null) return;
    if (await endAnswer(database, answer, end)) track(announceCost(answer));
  };

  interface Prepared {
    readonly persona: Persona | null;
    readonly model: string;
    readonly key: string;
    readonly messages: readonly ModelMessage[];
  }

  const prepare = async (answer: ClaimedAnswer): Promise<Prepared | null> => {
    const persona = answer.persona === null ? null : params.findPersona(answer.persona);
    const model = answer.model ?? persona?.model ?? (await params.defaultModel(answer.owner));
    if (model === null) return null;
    const messages = await readMessages(database, answer.threadId);
    const self = messages.find(({ id }) => id === answer.messageId);
    const path = pathTo(messages, self?.parentId ?? null);
    const attachments = await attachmentsOf(
      database,
      path.map(({ id }) => id),
    );
    const key = await params.keyOf(answer.owner);
    return { persona, model, key, messages: promptOf({ persona, path, attachments, begun: answer.text }) };
  };

  /** How the answer ended; null where it is no longer ours, or we are being ended ourselves. */
  const ask = async (
    answer: ClaimedAnswer,
    { persona, model, key, messages }: Prepared,
    abort: AbortController,
  ): Promise<End | null> => {
    const filter = createForbidFilter(persona?.forbid ?? [], answer.text);
    let forbidden: string | null = null;
    let lost = false;
    const writer = createAnswerWriter({
      database,
      answer,
      clock,
      onLost: (error) => {
        lost = true;
        if (error !== null)
          log.warn({ message: answer.messageId, error: messageOf(error) }, "chat answer lost");
        abort.abort();
      },
    });
    const show = (checked: { readonly text: string; readonly forbidden: string | null }): void => {
      if (forbidden !== null) return;
      if (checked.text !== "") writer.add(checked.text);
      if (checked.forbidden === null) return;
      ({ forbidden } = checked);
      abort.abort();
    };
    // Written beside the call: nothing that the person waits for waits for them.
    const notes: Promise<void>[] = [];
    const note = (work: Promise<void>): void => {
      // Awaited at the end; until then its failure is nobody's.
      work.catch(() => {});
      notes.push(work);
    };
    note(noteModel(database, answer, model));
    try {
      // An answer that was interrupted while it was shown is only gone on with.
      const reflects = (answer.reflect || persona?.chain === "reflect") && answer.text === "";
      const end = await callModel({
        gatewayUrl: params.gatewayUrl,
        key,
        model,
        messages,
        headers: {
          "x-miyabi-trim": answer.trimTokens === null ? "off" : String(answer.trimTokens),
          "x-miyabi-chain": reflects ? "reflect" : "none",
        },
        signal: abort.signal,
        onCall: (id) => note(noteCall(database, answer, id)),
        onText: (text) => show(filter.push(text)),
      });
      if (end.outcome === "complete" || end.outcome === "cut") show(filter.end());
      const stored = await writer.flushed();
      await Promise.all(notes);
      if (lost || !stored || (stopping.signal.aborted && end.outcome === "aborted" && forbidden === null))
        return null;
      return endOf(end, forbidden, persona);
    } finally {
      writer.close();
      await Promise.allSettled(notes);
    }
  };

  /** The ledger is written in batches; what a message cost is shown as soon as it is there. */
  const announceCost = async ({ messageId, threadId }: ClaimedAnswer): Promise<void> => {
    for (let look = 0; look < LEDGER_LOOKS && !stopping.signal.aborted; look += 1) {
      const [message] = await readMessages(database, threadId, [messageId]);
      if (message === undefined) return;
      if (message.firstTokenMs !== null || message.tokensIn !== null)
        return announceChange(database, { threadId, messageId });
      await clock.sleep(LEDGER_PAUSE_MS, stopping.signal).catch(() => {});
    }
  };

  return {
    name: "chat turns",
    wake: loop.wake,
    start: async () => {
      if (stopping.signal.aborted) stopping = new AbortController();
      unfollow ??= followChat(params.notifier, (news) => {
        if (news.kind === "text") return;
        // A person may have stopped one of ours, here or at another control plane, or asked for a new one.
        for (const { abort, answer } of running.values()) {
          if (news.kind === "changed" && news.messageId !== answer.messageId) continue;
          void isOurs(database, answer).then(
            (ours) => ours || abort.abort(),
            () => {},
          );
        }
        if (news.kind === "missed" || !running.has(news.messageId)) loop.wake();
      });
      if (!started) await releaseAnswers(database, params.holder);
      started = true;
      await loop.start();
    },
    stop: async () => {
      started = false;
      unfollow?.();
      unfollow = null;
      await loop.stop();
      // What is not finished stays as it is: the next control plane takes it up.
      stopping.abort();
      for (const { abort } of running.values()) abort.abort();
      await Promise.all(working);
    },
  };
}

function endOf(end: CallEnd, forbidden: string | null, persona: Persona | null): End {
  if (forbidden !== null)
    return {
      state: "withheld",
      reason: chatReason(
        "chat.forbidden",
        `It ends here: ${persona?.name ?? "the persona"} must not say "${forbidden}".`,
        { persona: persona?.name ?? "", phrase: forbidden },
      ),
    };
  switch (end.outcome) {
    case "complete":
      return { state: "complete", reason: null };
    case "cut":
      return {
        state: "complete",
        reason: chatReason("chat.too_long", "The model had no room for more; the answer is not complete."),
      };
    case "aborted":
      return { state: "stopped", reason: null };
    case "failed":
      return { state: "failed", reason: end.reason };
  }
}

import { cleanText, cutText, type Clock } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { AgentSession, TurnOutcome } from "../../driver.ts";
import type { AgentProfile } from "../../profile.ts";
import { classifyFailure, classifyNotice } from "../failure.ts";
import { AgentEnded, type AcpConnection } from "./connection.ts";
import { describeError } from "./describe-error.ts";
import { promptResult } from "./messages.ts";
import type { UpdateMapper } from "./update-mapper.ts";

const AUTHENTICATION_REQUIRED = -32_000;
const MAX_DETAIL_BYTES = 8 * 1024;

interface AcpSessionParams {
  readonly sessionId: string;
  readonly resumed: boolean;
  readonly connection: AcpConnection;
  readonly profile: AgentProfile;
  readonly clock: Clock;
  readonly mapper: UpdateMapper;
  readonly onEvent: (event: TranscriptBody) => void;
  /** The signal that ends waiting permission requests of the turn; null between turns. */
  readonly setTurn: (signal: AbortSignal | null) => void;
  readonly onClosed: () => void;
}

interface Turn {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** An open ACP session as the host sees it. One turn at a time; a second prompt waits for the first. */
export function createAcpSession(params: Readonly<AcpSessionParams>): AgentSession {
  const { connection, mapper, clock } = params;
  let turn: Turn | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const runTurn = async (text: string): Promise<TurnOutcome> => {
    const done = Promise.withResolvers<void>();
    const own: Turn = { stop: new AbortController(), done: done.promise };
    turn = own;
    params.setTurn(own.stop.signal);
    mapper.startTurn();
    try {
      const answer = await connection.request("session/prompt", {
        sessionId: params.sessionId,
        prompt: [{ type: "text", text }],
      });
      mapper.endTurn("Interrupted: the turn ended before this did.");
      return endOfTurn(params, answer, own.stop.signal.aborted);
    } catch (error) {
      mapper.endTurn("Interrupted: the turn failed.");
      return own.stop.signal.aborted ? { outcome: "cancelled" } : failedTurn(params, error);
    } finally {
      turn = null;
      params.setTurn(null);
      own.stop.abort();
      done.resolve();
    }
  };
  return {
    sessionId: params.sessionId,
    resumed: params.resumed,
    prompt: (text) => {
      const outcome = queue.then(() => runTurn(text));
      queue = outcome;
      return outcome;
    },
    cancel: async (graceMs) => {
      if (turn === null) return;
      const { stop, done } = turn;
      stop.abort();
      connection.notify("session/cancel", { sessionId: params.sessionId });
      const timer = new AbortController();
      const late = clock.sleep(graceMs, timer.signal).then(
        () => true,
        () => false,
      );
      const ended = await Promise.race([done.then(() => true), late.then(() => false)]);
      timer.abort();
      if (!ended) await connection.kill();
      await done;
    },
    close: async () => {
      turn?.stop.abort();
      await connection.close();
      await turn?.done;
      mapper.endTurn("Interrupted: the agent was stopped.");
      params.onClosed();
    },
  };
}

function endOfTurn(params: Readonly<AcpSessionParams>, answer: unknown, cancelled: boolean): TurnOutcome {
  if (cancelled) return { outcome: "cancelled" };
  const { profile, mapper, onEvent, clock } = params;
  const result = promptResult.safeParse(answer);
  if (!result.success)
    return { outcome: "broken", detail: `${profile.title} ended its turn with an unreadable answer.` };
  const { stopReason, usage } = result.data;
  const tokensIn =
    usage === null || usage === undefined
      ? null
      : (usage.inputTokens ?? 0) + (usage.cachedReadTokens ?? 0) + (usage.cachedWriteTokens ?? 0);
  const tokensOut = usage?.outputTokens ?? null;
  if (tokensIn !== null || tokensOut !== null) onEvent({ kind: "usage", tokensIn, tokensOut });
  const notice = classifyNotice(mapper.lastText(), clock.now());
  if (notice?.kind === "quota") return { outcome: "quota", resetAt: notice.resetAt, detail: notice.detail };
  if (notice !== null) return { outcome: "broken", detail: `${profile.title}: ${notice.detail}` };
  switch (stopReason) {
    case "refusal":
      return { outcome: "refused", detail: mapper.lastText() };
    case "cancelled":
      return { outcome: "broken", detail: `${profile.title} cancelled its turn by itself.` };
    case "end_turn":
      break;
    default:
      onEvent({
        kind: "notice",
        level: "warn",
        text: `${profile.title} stopped early: ${cutText(cleanText(stopReason), 100)}.`,
      });
  }
  return { outcome: "ended", tokensIn, tokensOut, verdict: null, notes: null };
}

function failedTurn(params: Readonly<AcpSessionParams>, error: unknown): TurnOutcome {
  const { profile, connection, clock, mapper } = params;
  const stderr = connection.stderr();
  const said = stderr === "" ? "" : `\nIts standard error ends with:\n${stderr}`;
  const reason = cleanText(describeError(error));
  if (error instanceof AgentEnded)
    return { outcome: "broken", detail: cutText(`${profile.title}: ${reason}${said}`, MAX_DETAIL_BYTES) };
  const failure = classifyFailure(`${reason}\n${mapper.lastText().slice(-400)}`, clock.now());
  if (failure.kind === "quota") return { outcome: "quota", resetAt: failure.resetAt, detail: failure.detail };
  const asksForLogin =
    failure.kind === "authentication" ||
    (typeof error === "object" &&
      error !== null &&
      "code" in error &&
      error.code === AUTHENTICATION_REQUIRED);
  return {
    outcome: "broken",
    detail: cutText(
      asksForLogin
        ? `${profile.title} is not signed in or its key was refused: ${reason}`
        : `${profile.title}: ${reason}${said}`,
      MAX_DETAIL_BYTES,
    ),
  };
}

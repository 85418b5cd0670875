import { cleanText, cutText, type Clock } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";
import { createTextBuffer } from "../text-buffer.ts";
import { sessionUpdate } from "./messages.ts";
import { blockText, createToolCalls, isFinished, type ToolEvent } from "./tool-calls.ts";

const HOLD_MS = 200;
const MAX_PLAN_ENTRIES = 100;
const MAX_PLAN_TEXT_BYTES = 1_000;

export interface UpdateMapper {
  /** One `session/update`; what it says that we do not know is ignored. */
  update(raw: unknown): void;
  /** While replaying, what the agent tells is the past: only its open tool calls are remembered. */
  setReplaying(replaying: boolean): void;
  startTurn(): void;
  /** Sends waiting words out and fails tool calls that are still open. */
  endTurn(reason: string): void;
  /** Words of the turn's last message. */
  lastText(): string;
}

interface UpdateMapperParams {
  readonly clock: Clock;
  readonly onEvent: (event: TranscriptBody) => void;
}

/** Turns an agent's updates into transcript events: chunks joined, tool calls as whole states, everything cleaned and cut. */
export function createUpdateMapper(params: Readonly<UpdateMapperParams>): UpdateMapper {
  const text = createTextBuffer(params);
  const tools = createToolCalls();
  const shown = new Set<string>();
  let held: ToolEvent | null = null;
  let timer: AbortController | null = null;
  let replaying = false;

  const release = (): void => {
    timer?.abort();
    timer = null;
    const event = held;
    held = null;
    if (event !== null) params.onEvent(event);
  };
  /** Some agents stream a call's input word by word: states in between go out at most every 200 ms. */
  const sendTool = (event: ToolEvent): void => {
    if (held?.toolCallId === event.toolCallId) held = null;
    const isNew = !shown.has(event.toolCallId);
    shown.add(event.toolCallId);
    if (isFinished(event)) shown.delete(event.toolCallId);
    if (isNew || isFinished(event)) return send(event);
    if (held !== null) release();
    held = event;
    if (timer !== null) return;
    const own = new AbortController();
    timer = own;
    params.clock.sleep(HOLD_MS, own.signal).then(
      () => {
        if (timer === own) release();
      },
      () => {},
    );
  };
  const send = (event: TranscriptBody): void => {
    release();
    text.flush();
    text.forgetLast();
    params.onEvent(event);
  };
  return {
    update: (raw) => {
      const parsed = sessionUpdate.safeParse(raw);
      if (!parsed.success) return;
      const update = parsed.data;
      if (update.sessionUpdate === "tool_call" || update.sessionUpdate === "tool_call_update") {
        const event = tools.apply(update);
        if (event !== null && !replaying) sendTool(event);
        return;
      }
      if (replaying) return;
      switch (update.sessionUpdate) {
        case "agent_message_chunk":
          release();
          return text.push("text", blockText(update.content));
        case "agent_thought_chunk":
          release();
          return text.push("thought", blockText(update.content));
        case "plan":
          return send(planEvent(update.entries));
        case "plan_update":
          if (update.plan.entries.length > 0) send(planEvent(update.plan.entries));
          return;
        case "user_message_chunk":
          return; // Our own prompt; the host records it.
        default:
          update satisfies never;
      }
    },
    setReplaying: (next) => {
      replaying = next;
    },
    startTurn: () => text.forgetLast(),
    endTurn: (reason) => {
      release();
      text.flush();
      shown.clear();
      for (const event of tools.closeOpen(reason)) params.onEvent(event);
    },
    lastText: () => text.lastText(),
  };
}

type PlanEvent = Extract<TranscriptBody, { kind: "plan" }>;
function planEvent(
  entries: readonly { readonly content: string; readonly status: PlanEvent["entries"][number]["status"] }[],
): PlanEvent {
  return {
    kind: "plan",
    entries: entries.slice(0, MAX_PLAN_ENTRIES).map((entry) => ({
      text: cutText(cleanText(entry.content), MAX_PLAN_TEXT_BYTES),
      status: entry.status,
    })),
  };
}

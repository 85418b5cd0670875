import { messageOf, type Log } from "../../base/index.ts";
import { createRedaction } from "../../security/index.ts";
import { callerKeys } from "../headers.ts";
import { patternsOf, type PromptSettings } from "../prompts/prompt-settings.ts";
import type { PromptStore } from "../prompts/prompt-store.ts";
import { keptAnswer, keptRequest } from "../prompts/prompt-text.ts";
import { copyToBoth, createAnswerCopy, type AnswerCopy } from "../relay/answer-copy.ts";
import type { Call, Stage } from "./call.ts";
import type { Caller } from "./caller.ts";

/** Of a stream, whose events take many times the room of its text. */
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;

/** Shorter ones are no keys of ours, and would redact words. */
const LEAST_KEY = 8;

/** Keeps what is said in calls, redacted, where the configuration says so; else it does nothing at all. */
export function createPromptStage(params: { readonly store: PromptStore; readonly log: Log }): Stage {
  return async (call, next) => {
    const { prompts } = call.settings;
    if (!prompts.store || call.endpoint.usage === "none" || !isWanted(call.caller, prompts))
      return next(call);
    const copy = createAnswerCopy(LARGEST_ANSWER_BYTES);
    const result = await next({ ...call, copy: copyToBoth(call.copy, copy) });
    try {
      if (result.outcome !== "refused") params.store.add(promptOf(call, copy));
    } catch (error) {
      params.log.warn({ call: call.id, error: messageOf(error) }, "prompt not kept");
    }
    return result;
  };
}

function isWanted(caller: Caller, { keys }: PromptSettings): boolean {
  if (keys === null) return true;
  const names = caller.kind === "run" ? ["runs"] : [caller.keyId, caller.keyName];
  return names.some((name) => name !== null && keys.includes(name));
}

function promptOf(call: Call, copy: AnswerCopy): Parameters<PromptStore["add"]>[0] {
  const { prompts } = call.settings;
  const { headers, url } = call.request;
  const keys = callerKeys(headers, url ?? "").filter((key) => key.length >= LEAST_KEY);
  const redact = createRedaction(patternsOf(prompts), keys);
  const request = keptRequest(call.body, redact, prompts.maxTextBytes);
  const whole = copy.whole();
  const answer = whole === null ? null : keptAnswer(call.endpoint.name, whole, redact, prompts.maxTextBytes);
  return {
    callId: call.id,
    request: request.text,
    answer: answer?.text ?? null,
    requestBytes: call.body.length,
    answerBytes: whole?.body.length ?? null,
    isCut: request.isCut || answer?.isCut === true,
  };
}

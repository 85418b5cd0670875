import { AppError, messageOf, toAppError } from "../../base/index.ts";
import type { TurnOutcome } from "../driver.ts";
import type { RunOutcome } from "../protocol.ts";
import type { StopReason } from "./stop.ts";

const MAX_LOG = 20 * 1024;

/** A result with nothing but what is given. */
export function outcomeOf(
  values: Pick<RunOutcome, "outcome" | "code" | "message"> & Partial<RunOutcome>,
): RunOutcome {
  return {
    verdict: null,
    notes: null,
    commit: null,
    exitCode: null,
    tokensIn: null,
    tokensOut: null,
    quotaResetAt: null,
    log: "",
    ...values,
  };
}

export const failed = (code: string, message: string, log = ""): RunOutcome =>
  outcomeOf({ outcome: "failed", code, message, log: log.slice(-MAX_LOG) });

const quota = (resetAt: string | null, message: string): RunOutcome =>
  outcomeOf({ outcome: "quota", code: "agent.quota", message, quotaResetAt: resetAt });

/** How a run that was stopped ends; `lost` has no result. */
export function stoppedOutcome(reason: Exclude<StopReason, { kind: "lost" }>): RunOutcome {
  switch (reason.kind) {
    case "cancel":
      return outcomeOf({ outcome: "cancelled", code: "run.cancelled", message: reason.text });
    case "timeout":
      return failed("run.timeout", reason.text);
    case "limit":
      return failed(reason.code, reason.text);
  }
}

/** A turn that did not end in order. */
export function brokenTurn(turn: Exclude<TurnOutcome, { outcome: "ended" }>): RunOutcome {
  switch (turn.outcome) {
    case "cancelled":
      return failed("agent.exited", "The agent gave its turn up.");
    case "refused":
      return failed("agent.refused", `The agent refused: ${turn.detail.slice(0, 500)}`, turn.detail);
    case "quota":
      return quota(turn.resetAt?.toISOString() ?? null, turn.detail.slice(0, 500));
    case "broken":
      return failed("agent.exited", turn.detail.slice(0, 500), turn.detail);
  }
}

/** What was thrown on the way. */
export function thrownOutcome(error: unknown): RunOutcome {
  if (error instanceof AppError && error.code === "agent.protocol") {
    const resetAt = error.details["resetAt"];
    if (error.details["failure"] === "quota")
      return quota(typeof resetAt === "string" ? resetAt : null, error.message);
    return failed("agent.protocol", error.message.split("\n")[0] ?? "", error.message);
  }
  return failed(toAppError(error).code, messageOf(error));
}

import type { CallToolResult } from "@modelcontextprotocol/server";
import { AppError, toAppError, type Log } from "../../base/index.ts";
import type { Fenced, RunIdentity } from "../../tasks/index.ts";

export function answered(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

/** Facts as JSON text, which every client shows to its model. */
export function answeredJson(facts: Readonly<Record<string, unknown>>): CallToolResult {
  return answered(JSON.stringify(facts, null, 2));
}

export function refused(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

/** Answer to a run that is not the caller's any more. */
export function lostRun(run: RunIdentity): CallToolResult {
  return refused(
    `Run ${run.runId} (attempt ${run.attempt}) is not yours any more: it has ended or was given to another agent. ` +
      "Nothing was recorded. Stop working on it.",
  );
}

export function fencedAnswer(run: RunIdentity, outcome: Fenced, text: string): CallToolResult {
  return outcome === "recorded" ? answered(text) : lostRun(run);
}

/** Runs a tool; what goes wrong becomes an answer that the model can act on, without inner details. */
export async function safely(
  log: Log,
  run: RunIdentity,
  work: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    const failure = toAppError(error);
    if (failure instanceof AppError && failure.code !== "internal.bug")
      return refused(failure.retryable ? `${failure.message} Try again in a moment.` : failure.message);
    log.error({ run: run.runId, error: failure.message }, "MCP tool failed");
    return refused("The tool failed for a reason of ours. Try again in a moment.");
  }
}

import type { Database } from "../../store/index.ts";
import type { Fenced, RunResult, RunService } from "../../tasks/index.ts";
import type { HostMessage } from "../protocol.ts";
import { noteUsageLimit } from "./usage-limits.ts";
import { rememberCheck } from "./check-cache.ts";

interface RecordParams {
  readonly database: Database;
  readonly runs: RunService;
}

/**
 * Takes a host's word for how a run ended, but not for what it handed over: the commit is the one whose bundle we
 * validated and imported, and any other is a failure.
 */
export async function recordFinished(
  params: Readonly<RecordParams>,
  message: Extract<HostMessage, { type: "finished" }>,
): Promise<Fenced> {
  const { result, runId } = message;
  const { rows } = await params.database.query<{
    handover_commit: string | null;
    handover_tree: string | null;
    check_key: string | null;
    verdict: string | null;
    profile: string | null;
  }>("select handover_commit, handover_tree, check_key, verdict, profile from miyabi.runs where id = $1", [
    runId,
  ]);
  const row = rows[0];
  // The agent reported to us while its host could not hear of it.
  const hasReported = result.code === "agent.no_verdict" && row?.verdict != null;
  const outcome = hasReported ? "succeeded" : result.outcome;
  const claimsOther = result.commit !== null && result.commit !== row?.handover_commit;
  const ended: RunResult = {
    outcome: claimsOther && outcome === "succeeded" ? "failed" : outcome,
    code: claimsOther && outcome === "succeeded" ? "handover.missing" : hasReported ? null : result.code,
    message:
      claimsOther && outcome === "succeeded"
        ? "The work that the run ended with was not handed over."
        : result.message,
    verdict: result.verdict,
    notes: result.notes,
    commit: row?.handover_commit ?? null,
    tree: row?.handover_tree ?? null,
    tokensIn: result.tokensIn,
    tokensOut: result.tokensOut,
    quotaResetAt: result.quotaResetAt === null ? null : new Date(result.quotaResetAt),
    log: result.log,
    cached: false,
  };
  if (row !== undefined && row.check_key !== null && result.outcome === "succeeded")
    await rememberCheck(params.database, { key: row.check_key, runId, output: result.log });
  // Before the run ends: whoever is started next must know of it already.
  if (row?.profile != null && ended.outcome === "quota" && ended.quotaResetAt !== null)
    await noteUsageLimit(params.database, {
      profile: row.profile,
      until: ended.quotaResetAt,
      message: ended.message,
    });
  return params.runs.finish(message, ended);
}

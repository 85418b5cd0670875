import { createLoop, toAppError, type Clock, type Log, type Loop, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import { because, type ClaimedRun, type RunResult, type RunService } from "../../tasks/index.ts";
import type { TeamSlot } from "../team/index.ts";
import { findCheck } from "./check-cache.ts";
import type { ConnectedHost, HostHub } from "./host-hub.ts";
import { buildSpec, type BuiltSpec, type SpecBuilderParams } from "./spec-builder.ts";
import type { TranscriptSink } from "./ports.ts";
import { UsageLimitReached } from "./usage-limits.ts";

export interface DispatcherParams {
  readonly database: Database;
  readonly hub: HostHub;
  readonly runs: RunService;
  readonly slots: readonly TeamSlot[];
  readonly spec: SpecBuilderParams;
  readonly transcripts: TranscriptSink;
  readonly isDraining: (slot: string) => boolean;
  /** False where the task's run must not begin; the task has been told then. @throws where that cannot be found out. */
  readonly mayStart: (taskId: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Gives the most urgent runs to idle hosts. Woken by new jobs and by hosts; its interval only covers deferred jobs that come due. */
export function createDispatcher(params: Readonly<DispatcherParams>): Loop {
  const busy = new Set<string>();

  const serve = async (host: ConnectedHost, slot: TeamSlot): Promise<void> => {
    for (;;) {
      const claimed = await params.runs.claim({
        slot: slot.slot,
        queues: slot.takes,
        leaseMs: params.spec.leaseMs,
      });
      if (claimed === null) return;
      if (await assign(host, slot, claimed)) return;
    }
  };

  /** False where the run ended without the host: its result was cached, or it could not be started. */
  const assign = async (host: ConnectedHost, slot: TeamSlot, claimed: ClaimedRun): Promise<boolean> => {
    let built: BuiltSpec;
    try {
      if (!(await params.mayStart(claimed.taskId))) return false;
      built = await buildSpec(params.spec, claimed, slot);
    } catch (error) {
      const { code, message } = toAppError(error);
      params.log.warn({ run: claimed.runId, code, error: message }, "run could not be prepared");
      await params.runs.finish(
        claimed,
        error instanceof UsageLimitReached
          ? { ...failed(code, message), outcome: "quota", quotaResetAt: error.resetAt }
          : failed(code, message),
      );
      return false;
    }
    const cached = built.checkKey === null ? null : await findCheck(params.database, built.checkKey);
    if (cached !== null) {
      await recordCached(params, claimed, built, cached);
      return false;
    }
    await params.database.query(
      "update miyabi.runs set check_key = $2, session_id = $3, profile = coalesce($4, profile) where id = $1",
      [claimed.runId, built.checkKey, built.sessionId, built.spec.agent?.profile.name ?? null],
    );
    if (params.hub.host(slot.slot) !== host) {
      await params.runs.lose(
        claimed,
        because("host.gone", "The agent host went away before it took the run."),
      );
      return true;
    }
    host.run = { runId: claimed.runId, attempt: claimed.attempt, taskId: claimed.taskId };
    host.state = "busy";
    host.connection.send({ type: "assign", spec: built.spec });
    return true;
  };

  return createLoop({
    name: "dispatcher",
    intervalMs: 1_000,
    maxBackoffMs: 4_000,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async () => {
      const waiting = await queuesWithRuns(params.database);
      const work = params.slots.flatMap((slot) => {
        const host = params.hub.host(slot.slot);
        if (
          host === null ||
          host.state !== "idle" ||
          host.run !== null ||
          !slot.takes.some((queue) => waiting.has(queue))
        )
          return [];
        if (busy.has(slot.slot) || params.isDraining(slot.slot)) return [];
        busy.add(slot.slot);
        return [serve(host, slot).finally(() => busy.delete(slot.slot))];
      });
      const failure = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      return waiting.size === 0 ? "quiet" : undefined;
    },
  });
}

/** Queues that hold a run, due or not: one cheap question instead of one transaction for each idle slot. */
async function queuesWithRuns(db: Database): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ queue: string }>(
    "select distinct queue from miyabi.runs where state = 'queued'",
  );
  return new Set(rows.map(({ queue }) => queue));
}

function failed(code: string, message: string): RunResult {
  return {
    outcome: "failed",
    code,
    message,
    verdict: null,
    notes: null,
    commit: null,
    tree: null,
    tokensIn: null,
    tokensOut: null,
    quotaResetAt: null,
    log: "",
    cached: false,
  };
}

async function recordCached(
  params: Readonly<DispatcherParams>,
  claimed: ClaimedRun,
  built: BuiltSpec,
  cached: { readonly runId: string; readonly output: string },
): Promise<void> {
  const text = `Passed before on the same tree (${cached.runId}); not run again.`;
  await params.transcripts.append({
    ...claimed,
    items: [
      {
        seq: 1,
        at: params.clock.now().toISOString(),
        body: {
          kind: "command",
          command: built.spec.commands.join("\n"),
          output: cached.output,
          exitCode: 0,
          durationMs: 0,
          cached: true,
        },
      },
      { seq: 2, at: params.clock.now().toISOString(), body: { kind: "end", outcome: "succeeded", text } },
    ],
  });
  await params.runs.finish(claimed, {
    ...failed("", text),
    outcome: "succeeded",
    code: null,
    log: cached.output,
    cached: true,
  });
}

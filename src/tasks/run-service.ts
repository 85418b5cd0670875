import { createHash } from "node:crypto";
import type { Random } from "../base/index.ts";
import type { Database, Tx } from "../store/index.ts";
import { appendEvents } from "./events.ts";
import type { Cause, Reason, RunResult } from "./model.ts";
import { IS_ALIVE, placeOf, reserveFor, takeReserved } from "./machines/index.ts";
import type { RunQueue } from "./run-queue.ts";
import type { TaskService } from "./task-service.ts";

/** A run that was just leased, with what the spec of the work is made from. */
export interface ClaimedRun {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  /** Secret that stands for the run; only its hash is stored. */
  readonly token: string;
}

export interface RunIdentity {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly step: string;
  readonly role: string | null;
  readonly slot: string | null;
  /** What the model calls of its task may cost together, USD × 10⁻⁶; null: what the settings say. */
  readonly budgetMicros: number | null;
}

interface Fence {
  readonly runId: string;
  readonly attempt: number;
}

/** `lost`: the run is not the caller's any more and nothing was written. `already`: it was written before. */
export type Fenced = "recorded" | "already" | "lost";

export interface RunServiceParams {
  readonly database: Database;
  readonly queue: RunQueue;
  readonly tasks: TaskService;
  readonly random: Random;
  /** Name of this machine where several share the database; null or absent: it is the only one. */
  readonly machine?: string | null;
}

export interface ExpiredRun extends Fence {
  readonly taskId: string;
  readonly slot: string | null;
  /** Machine that had it, where that is another one. */
  readonly elsewhere: string | null;
}

export interface RunService {
  /**
   * Leases the most urgent run of the first of the given queues that has one to a slot; null where nothing is due.
   * The job completes in the same transaction.
   */
  claim(params: {
    readonly slot: string;
    readonly queues: readonly string[];
    readonly leaseMs: number;
  }): Promise<ClaimedRun | null>;
  /** Extends a lease, compared with and counted from the database's clock. */
  renew(fence: Fence, leaseMs: number): Promise<Fenced>;
  started(
    fence: Fence,
    params: { readonly sandbox: unknown; readonly sessionId: string | null; readonly profile: string | null },
  ): Promise<Fenced>;
  /** Ends a run and does what follows for its task, in one transaction. */
  finish(fence: Fence, result: RunResult): Promise<Fenced>;
  /** Takes a run away from its holder; its task tries again. Only where the fence still holds. */
  lose(fence: Fence, error: Reason): Promise<Fenced>;
  /** A person has the agent's terminal, or gave it back. Repeatable. @throws conflict.state where the task does not allow it. */
  happen(fence: Fence, happening: { readonly type: "taken-over" | "handed-back" }): Promise<Fenced>;
  /** What the agent reported through MCP, kept until its host reports the end. */
  recordVerdict(fence: Fence, verdict: string, notes: string): Promise<Fenced>;
  /** Runs whose lease ran out, oldest first: this machine's, and those of machines whose control plane is gone. */
  expired(): Promise<readonly ExpiredRun[]>;
  /** Gives every open lease of this machine at least this long from now: a restarted control plane lets hosts come back first. */
  extendAll(leaseMs: number): Promise<void>;
  /** Who holds this token now; null for unknown tokens and for runs that have ended. */
  identify(token: string): Promise<RunIdentity | null>;
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

export function createRunService(params: Readonly<RunServiceParams>): RunService {
  const { database, queue, tasks } = params;
  const here = params.machine ?? null;

  /** Runs `write` where the fence holds, under the task's lock. */
  const fenced = (fence: Fence, write: (tx: Tx, taskId: string) => Promise<boolean>): Promise<Fenced> =>
    database.transaction(async (tx) => {
      const { rows } = await tx.query<{ task_id: string; state: string }>(
        "select task_id, state from miyabi.runs where id = $1 and attempt = $2",
        [fence.runId, fence.attempt],
      );
      const row = rows[0];
      if (row === undefined || row.state === "lost" || row.state === "cancelled") return "lost";
      if (row.state === "succeeded" || row.state === "failed") return "already";
      if (await write(tx, row.task_id)) return "recorded";
      // Refused under the task's lock, so the run ended while we waited for that: perhaps by the same word, said twice.
      const now = await tx.query(
        "select 1 from miyabi.runs where id = $1 and state in ('succeeded', 'failed')",
        [fence.runId],
      );
      return now.rowCount > 0 ? "already" : "lost";
    });

  const active = (fence: Fence, run: { readonly id: string; readonly attempt: number } | null): boolean =>
    run?.id === fence.runId && run.attempt === fence.attempt;

  return {
    claim: async ({ slot, queues, leaseMs }) => {
      const token = params.random.token();
      return database.transaction(async (tx) => {
        for (const name of queues) {
          const left = here === null ? null : await takeReserved(tx, name, here);
          const claimed =
            left === null ? null : await lease(tx, tasks, { runId: left, slot, leaseMs, token });
          if (claimed !== null) return claimed;
          // A job whose run was cancelled meanwhile is dropped and the next one looked at.
          for (let job = await queue.take(tx, name); job !== null; job = await queue.take(tx, name)) {
            const place = here === null ? null : await placeOf(tx, job.runId, here);
            if (place !== null) {
              await reserveFor(tx, job.runId, place);
              continue;
            }
            const taken = await lease(tx, tasks, { runId: job.runId, slot, leaseMs, token });
            if (taken !== null) return taken;
          }
        }
        return null;
      });
    },
    renew: async (fence, leaseMs) => {
      const { rowCount } = await database.query(
        `update miyabi.runs set lease_expires_at = now() + $3 * interval '1 millisecond'
         where id = $1 and attempt = $2 and state in ('leased', 'running')`,
        [fence.runId, fence.attempt, leaseMs],
      );
      return rowCount === 1 ? "recorded" : "lost";
    },
    started: (fence, { sandbox, sessionId, profile }) =>
      fenced(fence, async (tx, taskId) => {
        const { rowCount } = await tx.query(
          `update miyabi.runs set state = 'running', started_at = coalesce(started_at, now()), sandbox = $3, session_id = coalesce($4, session_id), profile = coalesce($5, profile)
           where id = $1 and attempt = $2 and state in ('leased', 'running')`,
          [fence.runId, fence.attempt, sandbox === null ? null : JSON.stringify(sandbox), sessionId, profile],
        );
        if (rowCount === 1)
          await appendEvents(tx, [{ type: "run.started", taskId, runId: fence.runId, data: {} }]);
        return rowCount === 1;
      }),
    finish: (fence, result) =>
      fenced(fence, (tx, taskId) =>
        tasks.happenIn(tx, taskId, ({ activeRun }) =>
          active(fence, activeRun) ? { type: "finished", result } : null,
        ),
      ),
    lose: (fence, error) =>
      fenced(fence, (tx, taskId) =>
        tasks.happenIn(tx, taskId, ({ activeRun }) =>
          active(fence, activeRun) ? { type: "lost", error } : null,
        ),
      ),
    happen: (fence, happening) =>
      fenced(fence, (tx, taskId) =>
        tasks.happenIn(tx, taskId, ({ activeRun }) =>
          active(fence, activeRun) && activeRun?.state !== "queued" ? happening : null,
        ),
      ),
    recordVerdict: async (fence, verdict, notes) => {
      const { rowCount } = await database.query(
        "update miyabi.runs set verdict = $3, notes = $4 where id = $1 and attempt = $2 and state in ('leased', 'running')",
        [fence.runId, fence.attempt, verdict, notes],
      );
      return rowCount === 1 ? "recorded" : "lost";
    },
    expired: async () => {
      const { rows } = await database.query<{
        id: string;
        attempt: number;
        task_id: string;
        slot: string | null;
        elsewhere: string | null;
      }>(
        `select r.id, r.attempt, r.task_id, r.slot, m.name as elsewhere from miyabi.runs r
           left join miyabi.slots s on s.slot = r.slot left join miyabi.machines m on m.name = s.machine and m.name <> $1
         where r.state in ('leased', 'running') and r.lease_expires_at < now() and (m.name is null or not (${IS_ALIVE}))
         order by r.lease_expires_at limit 100`,
        [here],
      );
      return rows.map((row) => ({
        runId: row.id,
        attempt: row.attempt,
        taskId: row.task_id,
        slot: row.slot,
        elsewhere: row.elsewhere,
      }));
    },
    extendAll: async (leaseMs) => {
      await database.query(
        `update miyabi.runs set lease_expires_at = greatest(lease_expires_at, now() + $1 * interval '1 millisecond') where state in ('leased', 'running')
           and ($2::text is null or slot in (select slot from miyabi.slots where machine = $2))`,
        [leaseMs, here],
      );
    },
    identify: async (token) => {
      const { rows } = await database.query<{
        id: string;
        task_id: string;
        attempt: number;
        step: string;
        role: string | null;
        slot: string | null;
        budget_micros: number | null;
      }>(
        `select r.id, r.task_id, r.attempt, r.step, r.role, r.slot, t.budget_micros::float8 from miyabi.runs r join miyabi.tasks t on t.id = r.task_id
         where r.token_hash = $1 and r.state in ('leased', 'running')`,
        [hashOf(token)],
      );
      const row = rows[0];
      return row === undefined
        ? null
        : {
            runId: row.id,
            taskId: row.task_id,
            attempt: row.attempt,
            step: row.step,
            role: row.role,
            slot: row.slot,
            budgetMicros: row.budget_micros,
          };
    },
  };
}

interface LeaseParams {
  readonly runId: string;
  readonly slot: string;
  readonly leaseMs: number;
  readonly token: string;
}

async function lease(tx: Tx, tasks: TaskService, params: Readonly<LeaseParams>): Promise<ClaimedRun | null> {
  const found = await tx.query<{ task_id: string; attempt: number; step: string; cause: Cause }>(
    "select task_id, attempt, step, cause from miyabi.runs where id = $1 and state = 'queued'",
    [params.runId],
  );
  const run = found.rows[0];
  if (run === undefined) return null;
  const fence = { runId: params.runId, attempt: run.attempt };
  const took = await tasks.happenIn(tx, run.task_id, ({ activeRun }) =>
    activeRun?.id === params.runId && activeRun.state === "queued"
      ? { type: "leased", slot: params.slot }
      : null,
  );
  if (!took) return null;
  await tx.query(
    `update miyabi.runs set state = 'leased', reserved_for = null, slot = $2, token_hash = $3, leased_at = now(), lease_expires_at = now() + $4 * interval '1 millisecond' where id = $1`,
    [params.runId, params.slot, hashOf(params.token), params.leaseMs],
  );
  await appendEvents(tx, [
    {
      type: "run.leased",
      taskId: run.task_id,
      runId: params.runId,
      slot: params.slot,
      data: { step: run.step, cause: run.cause.reason },
    },
  ]);
  return { ...fence, taskId: run.task_id, token: params.token };
}

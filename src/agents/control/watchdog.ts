import {
  backoffMs,
  createLoop,
  isProcessAlive,
  messageOf,
  type Clock,
  type Log,
  type Loop,
  type Random,
} from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import { because, type RunService } from "../../tasks/index.ts";
import { endProcess, type SlotRuntime, type StartSlot } from "../runtimes/index.ts";
import type { TeamSlot } from "../team/index.ts";
import { endSandbox } from "./end-sandbox.ts";
import { HEARTBEAT_MS, type HostHub } from "./host-hub.ts";
import { loadSlots, runOfSlot, type SlotRecord } from "./slot-store.ts";

export interface WatchdogParams {
  readonly database: Database;
  /** Of the installation, `Home.instance`. */
  readonly instance: string;
  readonly runtime: SlotRuntime;
  readonly hub: HostHub;
  readonly runs: RunService;
  readonly slots: readonly TeamSlot[];
  readonly startSlot: (slot: TeamSlot) => StartSlot;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

// Three heartbeats may be late on a busy machine; after that the host is stopped or cut off.
const SILENT_MS = HEARTBEAT_MS * 4;
// A host that lives but does not say hello, or not again after its line broke.
const CONNECT_MS = 20_000;
const STEADY_MS = 60_000;
// While every host is connected and heard of, runtime and leases are asked less often: each look starts a program.
const LOOK_MS = 5_000;

type Recorded = Pick<SlotRecord, "hostPid" | "startTicks">;

interface Watched {
  /** Monotonic time of the last start by us. */
  startedMs: number;
  /** Monotonic time since which we wait for its hello. */
  awaitedMs: number;
  /** Starts in a row whose host neither said hello nor lasted. */
  quickEnds: number;
}

/**
 * Keeps every slot's agent host alive and takes runs away from hosts that are gone: a dead process is seen by its pid
 * within a second, a silent one by its heartbeats, a cut-off one by its lease. A run changes hands only after its old
 * sandbox is confirmed dead.
 */
export function createWatchdog(params: Readonly<WatchdogParams>): Loop {
  const watched = new Map<string, Watched>();
  let lookedMs = -Infinity;

  const isAllWell = (nowMs: number): boolean =>
    params.slots.every(({ slot }) => {
      const host = params.hub.host(slot);
      return host !== null && nowMs - host.lastSeenMs < SILENT_MS;
    });

  const startHost = async (slot: TeamSlot, how: "start" | "restart"): Promise<void> => {
    const now = params.clock.monotonicMs();
    const record = watched.get(slot.slot) ?? { startedMs: -Infinity, awaitedMs: now, quickEnds: 0 };
    const livedMs = now - record.startedMs;
    if (livedMs > STEADY_MS) record.quickEnds = 0;
    // The first restarts are at once; a host that keeps ending waits longer each time.
    const pauseMs =
      record.quickEnds < 3
        ? 0
        : backoffMs({ attempt: record.quickEnds - 2, baseMs: 1_000, maxMs: 60_000, random: params.random });
    if (livedMs < pauseMs) return;
    watched.set(slot.slot, { startedMs: now, awaitedMs: now, quickEnds: record.quickEnds + 1 });
    await params.runtime[how](params.startSlot(slot));
    params.log.info({ slot: slot.slot, how }, "agent host started");
  };

  const endRunOf = async (slot: string, code: string, message: string): Promise<void> => {
    const run = await runOfSlot(params.database, slot);
    if (run === null) return;
    await endSandbox(params, run);
    await params.runs.lose(run, because(code, message, { slot }));
  };

  /** A host that hangs or is cut off lives on, also one that is in no pane of ours: it would go on with the run's files. */
  const endHost = async (recorded: Recorded | undefined): Promise<void> => {
    if (recorded?.hostPid == null || recorded.startTicks === null) return;
    await endProcess({
      pid: recorded.hostPid,
      startTicks: recorded.startTicks,
      graceMs: 0,
      clock: params.clock,
    });
  };

  const look = async (slot: TeamSlot, alive: boolean, recorded: Recorded | undefined): Promise<void> => {
    const host = params.hub.host(slot.slot);
    if (!alive) {
      if (host !== null && (await isProcessAlive(host.pid, host.startTicks)))
        params.hub.disconnect(slot.slot, "its pane is gone");
      return startHost(slot, "start");
    }
    if (host !== null) {
      if (params.clock.monotonicMs() - host.lastSeenMs < SILENT_MS) return;
      // Stopped or hung: nothing but SIGKILL reaches it, and nothing it does later counts.
      params.log.warn({ slot: slot.slot }, "agent host is silent; it is replaced");
      params.hub.disconnect(slot.slot, "silent");
      await endHost(recorded);
      await startHost(slot, "restart");
      return endRunOf(slot.slot, "host.silent", "The agent host stopped answering and was replaced.");
    }
    const now = params.clock.monotonicMs();
    const record = watched.get(slot.slot);
    if (record === undefined) watched.set(slot.slot, { startedMs: now, awaitedMs: now, quickEnds: 0 });
    else if (now - record.awaitedMs > CONNECT_MS) await startHost(slot, "restart");
    else if (recorded?.hostPid != null && !(await isProcessAlive(recorded.hostPid, recorded.startTicks)))
      await endRunOf(slot.slot, "host.died", "The agent host ended in the middle of the run.");
  };

  const expire = async (slots: ReadonlyMap<string, Recorded>): Promise<void> => {
    for (const run of await params.runs.expired()) {
      params.log.warn({ run: run.runId, slot: run.slot }, "lease expired");
      if (run.elsewhere !== null) {
        // Nothing of it is here, and what may live of it there has a clone of its own.
        const reason = because(
          "machine.gone",
          `The machine ${run.elsewhere} is gone; its work goes on elsewhere.`,
          { machine: run.elsewhere },
        );
        await params.runs.lose(run, reason);
        continue;
      }
      const slot = params.slots.find((one) => one.slot === run.slot);
      if (slot !== undefined) {
        params.hub.send(slot.slot, { type: "lost", runId: run.runId, attempt: run.attempt });
        await endHost(slots.get(slot.slot));
        await startHost(slot, "restart");
      }
      await endSandbox(params, run);
      await params.runs.lose(
        run,
        because("lease.expired", "The agent host did not renew its lease in time."),
      );
    }
  };

  return createLoop({
    name: "watchdog",
    intervalMs: 1_000,
    // After a database that was away, agents must not wait for their host much longer.
    maxBackoffMs: 4_000,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async () => {
      const nowMs = params.clock.monotonicMs();
      for (const [slot, record] of watched) {
        if (params.hub.host(slot) === null) continue;
        // It works: if it is killed, however often, the next one is started at once.
        record.quickEnds = 0;
        record.awaitedMs = nowMs;
      }
      if (nowMs - lookedMs < LOOK_MS && isAllWell(nowMs)) return;
      const [processes, recorded] = await Promise.all([params.runtime.list(), loadSlots(params.database)]);
      // Panes prove that their server runs; asking it as well would start one more program every second.
      if (processes.length === 0) await params.runtime.ensureServer();
      const live = new Set(processes.filter((one) => !one.dead).map((one) => one.slot));
      for (const slot of params.slots) {
        await look(slot, live.has(slot.slot), recorded.get(slot.slot)).catch((error: unknown) =>
          params.log.error(
            { slot: slot.slot, error: messageOf(error) },
            "agent host could not be looked after",
          ),
        );
      }
      await expire(recorded);
      lookedMs = nowMs;
    },
  });
}

import { type Clock, type Log, messageOf, type Random } from "../../base/index.ts";
import type { TranscriptItem } from "../../contract/index.ts";
import { type ControlMessage, type HostMessage, PROTOCOL_VERSION } from "../protocol.ts";
import { type ActiveRun, createActiveRun } from "./active-run.ts";
import { createConnection } from "./connection.ts";
import type { Pane } from "./pane/pane.ts";
import { endLeftovers } from "./recovery.ts";
import type { RunTools } from "./run.ts";
import type { SlotLock } from "./slot-lock.ts";
import type { SlotSpool } from "./spool.ts";

interface HostParams {
  readonly slot: string;
  readonly machine: string;
  readonly url: string;
  readonly readToken: () => Promise<string>;
  readonly spool: SlotSpool;
  readonly lock: SlotLock;
  /** All but `whenConnected`, which the host itself knows. */
  readonly tools: Omit<RunTools, "whenConnected">;
  readonly pane: Pane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Why a host ends by itself. `drained`: it was asked to. `replaced`: a newer host has its slot. */
export type HostEnd = "drained" | "replaced";

/** Serves one slot until it is drained or replaced. Rejects only for a fault: then the process has to end and be started again. */
export async function runHost(params: Readonly<HostParams>): Promise<HostEnd> {
  const { clock, log, pane } = params;
  const over = new AbortController();
  const end = Promise.withResolvers<HostEnd>();
  let run: ActiveRun | null = null;
  let isBegun = false;
  let isDraining = false;
  let connectedNow = Promise.withResolvers<void>();
  let chain: Promise<void> = Promise.resolve();

  /** Changes of the run, one after the other; a fault ends the host. */
  const inOrder = (work: () => Promise<void>): void => {
    chain = chain.then(work).catch((error: unknown) => end.reject(error));
  };
  const tools: RunTools = {
    ...params.tools,
    whenConnected: (signal) => {
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
      if (signal.aborted) aborted.reject(signal.reason);
      return Promise.race([connectedNow.promise, aborted.promise]);
    },
  };
  const show = (item: TranscriptItem): void => pane.show(item);
  const heartbeat = (): HostMessage => ({
    type: "heartbeat",
    slot: params.slot,
    state: run === null ? "idle" : run.isTakenOver() ? "taken-over" : "busy",
  });
  const connection = createConnection({
    url: params.url,
    readToken: params.readToken,
    createHello: () => ({
      type: "hello",
      version: PROTOCOL_VERSION,
      slot: params.slot,
      ...params.lock.holder,
      machine: params.machine,
      run: helloRun(run, isBegun),
    }),
    createHeartbeat: heartbeat,
    onMessage: (message) => handle(message),
    onState: (state) => {
      pane.connection(state);
      if (state === "connected") return connectedNow.resolve();
      if (state === "away") connectedNow = Promise.withResolvers();
      run?.disconnected();
      void params.lock.isHeld().then((held) => held || end.resolve("replaced"));
    },
    clock,
    random: params.random,
    log,
  });
  const activate = (next: ActiveRun): void => {
    run = next;
    isBegun = true;
    next.begin();
    next.connected();
  };
  const create = (spool: ActiveRun["spool"]): ActiveRun =>
    createActiveRun({ spool, tools, send: connection.send, show, clock });

  const leave = async (how: "drop" | "forget"): Promise<void> => {
    const leaving = run;
    if (leaving === null) return;
    await leaving[how]();
    run = null;
    isBegun = false;
    pane.idle(how === "drop" ? "This run belongs to another agent now." : null);
    if (isDraining) return end.resolve("drained");
    connection.send(heartbeat());
  };
  /** An assignment may still be on its way to the disk: what ends it waits behind it. */
  const leaveOurs = (fence: { readonly runId: string; readonly attempt: number }, how: "drop" | "forget") =>
    inOrder(async () => {
      if (isOurs(fence)) await leave(how);
    });

  const assign = (message: Extract<ControlMessage, { type: "assign" }>): void =>
    inOrder(async () => {
      const { spec } = message;
      if (run !== null) {
        const known = run.spool.spec;
        if (known.runId !== spec.runId || known.attempt !== spec.attempt)
          log.warn({ run: spec.runId, busyWith: known.runId }, "a second run was assigned and is ignored");
        return;
      }
      pane.busy(spec.taskId, spec.taskTitle, spec.step);
      activate(create(await params.spool.create(spec)));
    });

  const welcome = (message: Extract<ControlMessage, { type: "welcome" }>): void =>
    inOrder(async () => {
      if (run === null) pane.idle(null);
      else if (message.run === "continue") activate(run);
      else await leave("drop");
    });

  const isOurs = (fence: { readonly runId: string; readonly attempt: number }): boolean =>
    run?.spool.spec.runId === fence.runId && run.spool.spec.attempt === fence.attempt;

  const handle = (message: ControlMessage): void => {
    switch (message.type) {
      case "welcome":
        return welcome(message);
      case "assign":
        return assign(message);
      case "idle-view":
        return pane.view(message.text);
      case "drain-and-exit":
        isDraining = true;
        if (run === null) end.resolve("drained");
        return;
      case "message":
        return run?.handle(message);
      case "lost":
        return leaveOurs(message, "drop");
      case "ack-finished":
        return leaveOurs(message, "forget");
      default:
        return inOrder(() => {
          if (isOurs(message)) run?.handle(message);
          return Promise.resolve();
        });
    }
  };

  const left = await params.spool.load();
  if (left !== null) {
    await endLeftovers(left, clock, log);
    pane.busy(left.spec.taskId, left.spec.taskTitle, left.spec.step);
    for (const item of left.state.recent) pane.show(item);
    run = create(left);
  } else for (const item of await params.spool.recent()) pane.show(item);
  pane.onLine((line) => {
    if (run?.person(line) === true) return;
    pane.hint("Nobody is listening right now. What you type while a task runs goes to its agent.");
  });
  const running = connection.run(over.signal);
  try {
    return await end.promise;
  } catch (error) {
    log.error({ error: messageOf(error) }, "host fault");
    throw error;
  } finally {
    over.abort();
    await running;
  }
}

/** After a crash the agent is dead; what is only left to hand over or to report is as good as alive. */
function helloRun(run: ActiveRun | null, isBegun: boolean): Extract<HostMessage, { type: "hello" }>["run"] {
  if (run === null) return null;
  const { spec, state } = run.spool;
  const alive = isBegun || state.worked !== null || state.finished !== null;
  return { runId: spec.runId, attempt: spec.attempt, alive, lastSeq: state.lastSeq };
}

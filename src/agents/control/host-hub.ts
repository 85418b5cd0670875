import type { WebSocket } from "ws";
import { AppError, type Clock, isProcessAlive, type Log } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import { appendEvents, because, type RunService } from "../../tasks/index.ts";
import type { ControlMessage, HostMessage } from "../protocol.ts";
import { endSandbox } from "./end-sandbox.ts";
import { serveHost, type HostConnection } from "./host-connection.ts";
import type { Mailboxes, PermissionDesk, TranscriptSink } from "./ports.ts";
import { recordFinished } from "./record-finished.ts";
import { rememberAgentSession } from "./session-store.ts";
import { loadSlots, runOfSlot, saveHost } from "./slot-store.ts";

export const HEARTBEAT_MS = 2_000;

/** A connected host as the control plane knows it; nothing here is needed after a restart. */
export interface ConnectedHost {
  readonly slot: string;
  readonly pid: number;
  readonly startTicks: string;
  readonly connection: HostConnection;
  readonly connectedAt: Date;
  /** Monotonic time of the last sign of life. */
  lastSeenMs: number;
  lastHeartbeatAt: Date;
  state: "idle" | "busy" | "taken-over";
  /** The run it holds, as far as we told it or it told us. */
  run: { readonly runId: string; readonly attempt: number; readonly taskId: string } | null;
  /** It was told that its run is lost; it is free when it says that it is idle. */
  isLosing: boolean;
}

export interface HostHubParams {
  readonly database: Database;
  /** Of the installation, `Home.instance`. */
  readonly instance: string;
  readonly runs: RunService;
  readonly transcripts: TranscriptSink;
  readonly permissions: PermissionDesk;
  readonly mailboxes: Mailboxes;
  readonly clock: Clock;
  readonly log: Log;
  readonly leaseMs: number;
  /** A host became idle or went away. */
  readonly onChange: () => void;
}

export interface HostHub {
  /** Serves an authenticated host's WebSocket. */
  accept(socket: WebSocket): void;
  hosts(): readonly ConnectedHost[];
  host(slot: string): ConnectedHost | null;
  /** The host that holds a run, or null. */
  holderOf(runId: string): ConnectedHost | null;
  send(slot: string, message: ControlMessage): boolean;
  /** Ends a host's connection, e.g. because the host is silent. */
  disconnect(slot: string, reason: string): void;
}

/** Speaks the host protocol for the control plane. Every report is fenced in the database, so hosts may repeat themselves. */
export function createHostHub(params: Readonly<HostHubParams>): HostHub {
  const hosts = new Map<string, ConnectedHost>();
  let connections = 0;

  const find = (connection: HostConnection): ConnectedHost | null =>
    [...hosts.values()].find((host) => host.connection === connection) ?? null;

  const hello = async (
    message: Extract<HostMessage, { type: "hello" }>,
    connection: HostConnection,
  ): Promise<void> => {
    const { slot, run } = message;
    if (await isReplaced(params.database, message)) {
      if (run !== null) connection.send({ type: "lost", ...fenceOf(run) });
      return connection.close("a newer host has this slot");
    }
    hosts.get(slot)?.connection.close("replaced by a newer host");
    await saveHost(params.database, message);
    const held = await runOfSlot(params.database, slot);
    const same = held !== null && run !== null && held.runId === run.runId && held.attempt === run.attempt;
    let verdict: "continue" | "drop" | "none" = run === null ? "none" : "drop";
    if (same && run.alive && (await params.runs.renew(run, params.leaseMs)) === "recorded")
      verdict = "continue";
    else if (held !== null) {
      await endSandbox(params, held);
      await params.runs.lose(held, because("host.died", "The agent host ended in the middle of the run."));
    }
    const now = params.clock.now();
    hosts.set(slot, {
      slot,
      pid: message.pid,
      startTicks: message.startTicks,
      connection,
      connectedAt: now,
      lastHeartbeatAt: now,
      lastSeenMs: params.clock.monotonicMs(),
      state: verdict === "continue" ? "busy" : "idle",
      run: verdict === "continue" ? held : null,
      isLosing: false,
    });
    connection.send({ type: "welcome", heartbeatMs: HEARTBEAT_MS, run: verdict });
    // The agent may have reported while its host was not connected. Only now, when whoever reports finds this host.
    if (verdict === "continue" && held !== null) await repeatVerdict(params.database, held, connection);
    await params.database.transaction((tx) =>
      appendEvents(tx, [{ type: "agent.changed", slot, data: { state: "connected" } }]),
    );
    params.onChange();
  };

  const handle = async (message: HostMessage, connection: HostConnection): Promise<void> => {
    if (message.type === "hello") return hello(message, connection);
    const host = find(connection);
    if (host === null) return connection.close("say hello first");
    host.lastSeenMs = params.clock.monotonicMs();
    const wasFree = host.run === null;
    await handleFrom(params, host, message);
    if (message.type === "finished" || (!wasFree && host.run === null)) params.onChange();
  };

  return {
    accept: (socket) => {
      connections += 1;
      serveHost({
        id: connections,
        socket,
        log: params.log,
        onMessage: handle,
        onClose: (connection) => {
          const host = find(connection);
          if (host === null) return;
          hosts.delete(host.slot);
          params.onChange();
        },
      });
    },
    hosts: () => [...hosts.values()],
    host: (slot) => hosts.get(slot) ?? null,
    holderOf: (runId) => [...hosts.values()].find((host) => host.run?.runId === runId) ?? null,
    send: (slot, message) => {
      const host = hosts.get(slot);
      if (host !== undefined && message.type === "lost") tellLost(host, message);
      else host?.connection.send(message);
      return host !== undefined;
    },
    disconnect: (slot, reason) => hosts.get(slot)?.connection.close(reason),
  };
}

/** One message of a known host. */
async function handleFrom(
  params: Readonly<HostHubParams>,
  host: ConnectedHost,
  message: Exclude<HostMessage, { type: "hello" }>,
): Promise<void> {
  const { connection } = host;
  switch (message.type) {
    case "heartbeat":
      host.lastHeartbeatAt = params.clock.now();
      host.state = message.state;
      if (message.state === "idle" && host.isLosing) {
        host.run = null;
        host.isLosing = false;
      }
      return;
    case "message-delivered":
      return params.mailboxes.delivered(message.messageId);
    case "renew": {
      const renewed = await params.runs.renew(message, params.leaseMs);
      return renewed === "recorded"
        ? connection.send({ type: "renewed", ...fenceOf(message) })
        : tellLost(host, message);
    }
    case "started": {
      const started = await params.runs.started(message, {
        sandbox: message.sandbox,
        sessionId: null,
        profile: null,
      });
      if (started === "lost") return tellLost(host, message);
      return rememberSession(params.database, message.runId, message.agentSessionId);
    }
    case "transcript": {
      const stored = await params.transcripts.append(message);
      return stored === "lost"
        ? tellLost(host, message)
        : connection.send({ type: "ack-transcript", ...fenceOf(message), seq: stored });
    }
    case "permission": {
      const { requestId, title, options } = message;
      const asked = await params.permissions.ask({
        ...fenceOf(message),
        requestId,
        asker: host.slot,
        title,
        options,
      });
      return asked === "lost" ? tellLost(host, message) : undefined;
    }
    case "finished": {
      const outcome = await recordFinished(params, message);
      if (host.run?.runId === message.runId) {
        host.run = null;
        host.isLosing = false;
      }
      host.state = "idle";
      return connection.send({ type: outcome === "lost" ? "lost" : "ack-finished", ...fenceOf(message) });
    }
    case "taken-over":
    case "handed-back": {
      const happened = await happen(params, message);
      if (happened === "lost") return connection.send({ type: "lost", ...fenceOf(message) });
      host.state = message.type === "taken-over" ? "taken-over" : "busy";
      return;
    }
  }
}

/** A newer process of the same machine has the slot and lives: what comes back here was cut off or stopped meanwhile. */
async function isReplaced(
  db: Database,
  { slot, pid, startTicks, machine }: Extract<HostMessage, { type: "hello" }>,
): Promise<boolean> {
  const recorded = (await loadSlots(db)).get(slot);
  if (recorded?.hostPid == null || recorded.startTicks === null) return false;
  if (recorded.hostPid === pid || recorded.machine !== machine) return false;
  if (Number(startTicks) >= Number(recorded.startTicks)) return false;
  return isProcessAlive(recorded.hostPid, recorded.startTicks);
}

/** A task that does not allow it now is left as it is: the host would only say the same again. */
async function happen(
  { runs, log }: Readonly<HostHubParams>,
  message: Extract<HostMessage, { type: "taken-over" | "handed-back" }>,
): Promise<"lost" | "told"> {
  try {
    const happened = await runs.happen(fenceOf(message), { type: message.type });
    return happened === "lost" ? "lost" : "told";
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "conflict.state") throw error;
    log.warn({ run: message.runId, type: message.type, error: error.message }, "the task does not allow it");
    return "told";
  }
}

async function repeatVerdict(
  db: Database,
  run: { readonly runId: string; readonly attempt: number },
  connection: HostConnection,
): Promise<void> {
  const { rows } = await db.query<{ verdict: string }>(
    "select verdict from miyabi.runs where id = $1 and attempt = $2 and verdict is not null",
    [run.runId, run.attempt],
  );
  const verdict = rows[0]?.verdict;
  if (verdict !== undefined) connection.send({ type: "verdict", ...fenceOf(run), verdict });
}

/** The run is somebody else's or nobody's now. The host ends what lives of it, and then takes another. */
function tellLost(host: ConnectedHost, fence: { readonly runId: string; readonly attempt: number }): void {
  if (host.run?.runId === fence.runId && host.run.attempt === fence.attempt) host.isLosing = true;
  host.connection.send({ type: "lost", ...fenceOf(fence) });
}

const fenceOf = (message: { readonly runId: string; readonly attempt: number }) => ({
  runId: message.runId,
  attempt: message.attempt,
});

async function rememberSession(db: Database, runId: string, agentSessionId: string | null): Promise<void> {
  const { rows } = await db.query<{ session_id: string | null }>(
    "select session_id from miyabi.runs where id = $1",
    [runId],
  );
  const sessionId = rows[0]?.session_id ?? null;
  if (sessionId !== null && agentSessionId !== null)
    await rememberAgentSession(db, sessionId, agentSessionId);
}

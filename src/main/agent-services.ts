import path from "node:path";
import { accessSync, constants } from "node:fs";
import {
  createDispatcher,
  createHostHub,
  createProcessRuntime,
  createTmuxRuntime,
  createWatchdog,
  hostCommand,
  type SlotRuntime,
  type SpecBuilderParams,
  type TeamSlot,
  type TranscriptSink,
} from "../agents/index.ts";
import {
  createLoop,
  messageOf,
  type Clock,
  type Home,
  type Log,
  type ProcessRunner,
  type Random,
} from "../base/index.ts";
import { QUESTIONS_CHANNEL } from "../messages/index.ts";
import { RESERVED_CHANNEL } from "../tasks/index.ts";
import type { Domain } from "./domain.ts";
import { machineName, type Installation } from "./installation.ts";
import { createPermissionDesk } from "./permission-desk.ts";
import type { Settings } from "./settings.ts";

// Long enough for a busy machine, short enough that a cut-off host is replaced while a person still watches.
const LEASE_MS = 15_000;

export interface AgentServicesParams {
  readonly domain: Domain;
  readonly transcripts: TranscriptSink;
  readonly home: Home;
  readonly installation: Installation;
  readonly settings: Settings;
  readonly url: string;
  readonly hostTokenFile: string;
  readonly runtime: "tmux" | "process";
  readonly sandbox: "bubblewrap" | "none";
  /** What may run where there is no sandbox. */
  readonly unsandboxed: "all" | "sample";
  /** `PATH`, locale and terminal of the installation, for hosts. */
  readonly env: Readonly<Record<string, string>>;
  readonly draining: Set<string>;
  /** Brings a hosted task's mirror up to date. */
  readonly syncFor: (taskId: string) => Promise<void>;
  /** See the dispatcher. */
  readonly mayStart: (taskId: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  readonly runner: ProcessRunner;
  readonly log: Log;
}

/** The agents' side of the control plane: hub, dispatcher, watchdog and what they need of each other. */
export function createAgentServices(params: Readonly<AgentServicesParams>) {
  const { domain, home, settings, clock, random, log } = params;
  const runtime = openRuntime(params);
  const profileOf = domain.profileOf;
  const machine = domain.machine?.name ?? machineName();
  let wake = (): void => {};

  const permissions = createPermissionDesk({
    database: domain.database,
    questions: domain.questions,
    answer: ({ slot, ...answer }) => hub.send(slot, { type: "permission-answer", ...answer }),
  });

  const hub = createHostHub({
    database: domain.database,
    instance: home.instance,
    runs: domain.runs,
    transcripts: params.transcripts,
    permissions,
    mailboxes: {
      delivered: async (id) => {
        await domain.mailboxes.acknowledge({ ids: [id], recipients: domain.recipients });
      },
    },
    clock,
    log,
    leaseMs: LEASE_MS,
    onChange: () => wake(),
  });

  const dispatcher = createDispatcher({
    database: domain.database,
    hub,
    runs: domain.runs,
    slots: domain.slots,
    transcripts: params.transcripts,
    isDraining: (slot) => params.draining.has(slot),
    mayStart: params.mayStart,
    spec: {
      database: domain.database,
      git: domain.git,
      home,
      random,
      machine,
      bringHere: domain.machine === null ? null : createBringer(params),
      leaseMs: LEASE_MS,
      sandbox: params.sandbox,
      unsandboxed: params.unsandboxed,
      limits: settings.limits,
      profileOf,
      insteadOf: settings.agents.instead,
    },
    clock,
    random,
    log,
  });
  for (const queue of domain.queues) domain.queue.onJobs(`run-${queue}`, () => dispatcher.wake());
  domain.notifier.subscribe(QUESTIONS_CHANNEL, (notification) => {
    permissions
      .closed(notification.kind === "notified" ? notification.payload : null)
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, "permission answer not passed on"));
  });

  domain.notifier.subscribe(RESERVED_CHANNEL, (told) => {
    if (told.kind === "missed" || told.payload === machine) dispatcher.wake();
  });

  const startSlot = (slot: TeamSlot) => ({
    slot: slot.slot,
    title: `${slot.name} ${slot.nameJa} · ${slot.role}`,
    color: slot.color,
    ...hostCommand({
      slot: slot.slot,
      role: slot.role,
      name: `${slot.name} ${slot.nameJa}`,
      color: slot.color,
      url: params.url,
      machine,
      nodeFile: process.execPath,
      program: params.installation.agentHost,
      tokenFile: params.hostTokenFile,
      agentsDir: path.join(home.root, "agents"),
      sampleAgentDir: params.installation.sampleAgentDir,
      readOnly: params.installation.readOnly,
      cli: slot.role === "conductor" ? [process.execPath, params.installation.launcher] : null,
      home,
      env: params.env,
    }),
  });

  const watchdog = createWatchdog({
    database: domain.database,
    instance: home.instance,
    runtime,
    hub,
    runs: domain.runs,
    slots: domain.slots,
    startSlot,
    clock,
    random,
    log,
  });

  wake = () => {
    dispatcher.wake();
    if (hub.hosts().length < domain.slots.length) watchdog.wake();
  };

  // By slot: connection and run that have got everything the slot holds. A new process, or the next run, has not: what
  // was sent to the one before and never acknowledged may have died with it.
  const served = new Map<string, string>();
  // Messages reach an agent that works; mailbox order and leases are the mailboxes' business.
  const mailman = createLoop({
    name: "mailman",
    intervalMs: 2_000,
    clock,
    random,
    log,
    tick: async () => {
      await domain.mailboxes.tick();
      const working = hub.hosts().filter((host) => host.run !== null);
      for (const host of working) {
        if (host.run === null) continue;
        await domain.mailboxes.renew(host.slot);
        const slot = domain.slots.find((one) => one.slot === host.slot);
        const serving = `${host.connection.id} ${host.run.runId}`;
        const waiting = await domain.mailboxes.take({
          recipients: [host.slot, slot?.role ?? host.slot],
          session: host.slot,
          again: served.get(host.slot) !== serving,
        });
        served.set(host.slot, serving);
        for (const message of waiting)
          host.connection.send({
            type: "message",
            messageId: message.id,
            from: message.sender,
            text: message.body,
          });
      }
      return working.length === 0 ? "quiet" : undefined;
    },
  });

  return { hub, runtime, dispatcher, watchdog, mailman, startSlot, leaseMs: LEASE_MS };
}
export type AgentServices = ReturnType<typeof createAgentServices>;

/** See the spec builder: the target branch from the server, the task's work from the database. */
function createBringer({
  domain,
  syncFor,
}: Readonly<AgentServicesParams>): NonNullable<SpecBuilderParams["bringHere"]> {
  const { database, git, work } = domain;
  const has = async (cachePath: string, commit: string): Promise<boolean> =>
    (await git.run({ gitDir: cachePath, args: ["cat-file", "-e", `${commit}^{commit}`] })).code === 0;
  return async ({ taskId, cachePath, commit }) => {
    const { rows } = await database.query<{ base_commit: string | null }>(
      "select base_commit from miyabi.tasks where id = $1",
      [taskId],
    );
    const base = rows[0]?.base_commit ?? null;
    const known = [base, commit].filter((one) => one !== null);
    const present = await Promise.all(known.map((one) => has(cachePath, one)));
    if (base !== null && present.every(Boolean)) return;
    // Where the target stands, and whatever of it this machine has not seen yet.
    await syncFor(taskId);
    await domain.fetchTargetOf(taskId, cachePath);
    if (commit !== null && !(await has(cachePath, commit))) await work.bring({ taskId, cachePath, commit });
  };
}

function openRuntime(params: Readonly<AgentServicesParams>): SlotRuntime {
  const { home, runner, clock, env } = params;
  return params.runtime === "tmux"
    ? createTmuxRuntime({ runDir: home.runDir, runner, clock, env })
    : createProcessRuntime({ runDir: home.runDir, clock });
}

/** Whether a program is in a directory of `PATH`. */
export function isOnPath(program: string, searchPath: string): boolean {
  return searchPath
    .split(":")
    .some((directory) => directory.startsWith("/") && isExecutable(path.join(directory, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

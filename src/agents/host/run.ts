import { statfs } from "node:fs/promises";
import type { Clock, Log, ProcessRunner, Random } from "../../base/index.ts";
import { ensurePrivateDirectory, messageOf } from "../../base/index.ts";
import type { Git } from "../../repositories/index.ts";
import type { OpenAgent } from "../driver.ts";
import type { AgentProfile } from "../profile.ts";
import type { RunOutcome, RunSpec } from "../protocol.ts";
import { runCommands } from "./commands.ts";
import { type Conversation, createConversation } from "./conversation.ts";
import { collectWork } from "./handover.ts";
import type { Lease } from "./lease.ts";
import { failed, outcomeOf, stoppedOutcome, thrownOutcome } from "./outcome.ts";
import { createPermissions, type Permissions } from "./permissions.ts";
import { prepareClone } from "./prepare.ts";
import type { Reports } from "./reports.ts";
import { type HostMachine, openRunSandbox, type RunSandbox, runDirectories } from "./run-sandbox.ts";
import type { RunSpool } from "./spool.ts";
import type { Stop } from "./stop.ts";
import type { Terminal } from "./takeover.ts";
import { uploadBundle } from "./upload.ts";
import {
  bringIn,
  closeWorkspace,
  openWorkspace,
  restoreInstructions,
  type WorkspaceState,
} from "./workspace.ts";

/** What every run of a host needs; the same for all. */
export interface RunTools {
  readonly machine: HostMachine;
  readonly git: Git;
  readonly runner: ProcessRunner;
  readonly openAgent: OpenAgent;
  /** Directory of the profile's package, installed where it is missing; null where it has none. @throws agent.unavailable */
  readonly openPackage: (params: {
    readonly profile: AgentProfile;
    readonly onProgress: (text: string) => void;
    readonly signal: AbortSignal;
  }) => Promise<string | null>;
  readonly readToken: () => Promise<string>;
  readonly whenConnected: (signal: AbortSignal) => Promise<void>;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface RunParams {
  readonly spool: RunSpool;
  readonly reports: Reports;
  readonly lease: Lease;
  readonly stop: Stop;
  readonly tools: RunTools;
  /** The agent can be talked to from here on. */
  readonly onConversation: (conversation: Conversation, permissions: Permissions) => void;
}

/**
 * Carries out a run to its decided end: `finished` is on the disk when this resolves, and nothing of the run is alive any more.
 * Goes on where an earlier host got to `worked`. Where the run is lost it only ends what lives; nothing is reported.
 */
export async function executeRun(params: Readonly<RunParams>): Promise<void> {
  const { spool, reports, stop, tools } = params;
  const { spec } = spool;
  let sandbox: RunSandbox | null = null;
  let result: RunOutcome | null;
  try {
    sandbox = await openSandbox(params, spec.agent === null ? "commands" : "agent", spec.egress);
    const worked = spool.state.worked ?? (await work(params, sandbox));
    if (worked !== null && spool.state.worked === null) await reports.worked(worked);
    result = worked === null ? null : await handOver(params, sandbox, worked);
  } catch (error) {
    tools.log.error({ run: spec.runId, error: messageOf(error) }, "run failed in the host");
    result = thrownOutcome(error);
  } finally {
    await sandbox?.close();
  }
  // A lost run's directories may be somebody else's by now: nothing in them is touched.
  if (result === null || stop.reason()?.kind === "lost") return;
  // Before `finished`: the next run of the session may start as soon as that is said.
  await closeWorkspace({ git: tools.git, spec, directories: runDirectories(spec) }).catch((error: unknown) =>
    tools.log.warn({ run: spec.runId, error: messageOf(error) }, "the run's directory stays"),
  );
  if (spool.state.recent.at(-1)?.body.kind !== "end") emitEnd(reports, result);
  await reports.finished(result);
}

function emitEnd(reports: Reports, result: RunOutcome): void {
  reports.emit({
    kind: "end",
    outcome: result.outcome === "quota" ? "failed" : result.outcome,
    text: result.message,
  });
}

const LIMIT_CODES = {
  processes: "run.processes",
  memoryBytes: "run.memory",
  diskBytes: "disk.quota",
  freeBytes: "disk.full",
} as const;

function openSandbox(
  { spool, reports, lease, stop, tools }: Readonly<RunParams>,
  purpose: "agent" | "commands" | "prepare",
  allow: readonly string[],
): Promise<RunSandbox> {
  return openRunSandbox({
    purpose,
    allow,
    spec: spool.spec,
    machine: tools.machine,
    directories: runDirectories(spool.spec),
    hold: (signal) => lease.hold(signal),
    signal: stop.signal,
    onStarted: (identity) => reports.sandboxStarted(identity),
    onDenied: (host, reason) =>
      reports.emit({ kind: "notice", level: "warn", text: `Blocked: ${host}. ${reason}` }),
    onUsage: ({ what, message }) => stop.now({ kind: "limit", code: LIMIT_CODES[what], text: message }),
    runner: tools.runner,
    clock: tools.clock,
    log: tools.log,
  });
}

/** Null where the run was lost. */
async function work(params: Readonly<RunParams>, sandbox: RunSandbox): Promise<RunOutcome | null> {
  const { stop } = params;
  let result: RunOutcome;
  try {
    result = await workInOrder(params, sandbox);
    const reason = stop.reason();
    if (reason !== null && reason.kind !== "lost") result = { ...result, ...onlyStop(reason) };
  } catch (error) {
    const reason = stop.reason();
    result = reason !== null && reason.kind !== "lost" ? stoppedOutcome(reason) : thrownOutcome(error);
  }
  await sandbox.killAll();
  return stop.reason()?.kind === "lost" ? null : blameDisk(params, result);
}

/** A run that failed on a disk without room says nothing about the work: agents and commands word that in many ways. */
async function blameDisk({ spool }: Readonly<RunParams>, result: RunOutcome): Promise<RunOutcome> {
  if (result.outcome !== "failed" || result.code === "disk.full") return result;
  const { root } = runDirectories(spool.spec);
  const free = await statfs(root).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );
  if (free >= NO_ROOM_BYTES) return result;
  return {
    ...result,
    code: "disk.full",
    message: `No space is left on the disk of ${root}. ${result.message}`,
  };
}

const onlyStop = (
  reason: Parameters<typeof stoppedOutcome>[0],
): Pick<RunOutcome, "outcome" | "code" | "message"> => {
  const { outcome, code, message } = stoppedOutcome(reason);
  return { outcome, code, message };
};

async function workInOrder(params: Readonly<RunParams>, sandbox: RunSandbox): Promise<RunOutcome> {
  const { spool, reports, lease, stop, tools } = params;
  const { spec } = spool;
  const directories = runDirectories(spec);
  const countOutput = createOutputLimit(spec, stop);
  await lease.hold(stop.signal);
  const workspace = await openWorkspace({ git: tools.git, spec, directories });
  let hint = "";
  if (workspace === "kept") {
    const brought = await bringIn({ git: tools.git, spec, directories, sandbox, signal: stop.signal });
    if (brought.outcome === "conflict") {
      hint = `Your clone has conflicts with ${spec.workspace.commit.slice(0, 12)} in: ${brought.files.join(", ")}. Solve them first and commit.`;
      reports.emit({ kind: "notice", level: "warn", text: `Conflicts in ${brought.files.join(", ")}` });
    } else if (brought.outcome === "replaced")
      reports.emit({ kind: "notice", level: "warn", text: `The clone was made anew: ${brought.detail}` });
    if (spec.workspace.mode === "session" && brought.outcome !== "replaced") {
      const restored = await restoreInstructions({
        git: tools.git,
        spec,
        directories,
        sandbox,
        signal: stop.signal,
      });
      if (restored.length > 0)
        hint = [hint, restoredHint(restored)].filter((text) => text !== "").join("\n\n");
    }
  }
  const commandParams = {
    sandbox,
    onEvent: reports.emit,
    onOutput: countOutput,
    clock: tools.clock,
    signal: stop.signal,
  };
  const unprepared = await prepare(params, workspace, countOutput);
  if (unprepared !== null) return unprepared;
  if (spec.agent === null) {
    const result = await runCommands({
      ...commandParams,
      commands: spec.commands,
      hasNetwork: spec.egress.length > 0,
      onStarted: () =>
        reports.started({
          sandbox: spool.state.sandboxes.at(-1) ?? null,
          agentSessionId: null,
          resumed: false,
        }),
    });
    if (result.outcome === "passed")
      return outcomeOf({ outcome: "succeeded", code: null, message: "All commands passed.", exitCode: 0 });
    const code = spec.kind === "check" ? "check.failed" : "command.failed";
    const message = `"${result.command}" failed (exit ${result.exitCode ?? "?"}).`;
    return { ...failed(code, message, result.log), exitCode: result.exitCode };
  }
  const permissions = createPermissions({
    spec,
    policy: spec.agent.profile.permissions,
    cloneDir: directories.clone,
    emit: reports.emit,
    ask: reports.permission,
    answered: reports.answered,
  });
  const packageDir = await tools.openPackage({
    profile: spec.agent.profile,
    onProgress: (text) => reports.emit({ kind: "notice", level: "info", text }),
    signal: stop.signal,
  });
  const conversation = createConversation({
    spec,
    // An earlier host of this very attempt may have opened a session already.
    agent: {
      ...spec.agent,
      resumeSessionId:
        spec.agent.profile.resume === "none"
          ? null
          : (spool.state.started?.agentSessionId ?? spec.agent.resumeSessionId),
    },
    hint,
    sandbox,
    reports,
    permissions,
    openAgent: tools.openAgent,
    packageDir,
    terminal: tools.terminal,
    stop,
    onOutput: countOutput,
    whenConnected: tools.whenConnected,
    clock: tools.clock,
    log: tools.log,
  });
  params.onConversation(conversation, permissions);
  return conversation.run();
}

const restoredHint = (files: readonly string[]): string =>
  `These files show the target branch's version; your commits of them are kept, and git does not see the difference: ${files.slice(0, 20).join(", ")}. To change one further, first: git update-index --no-skip-worktree FILE && git checkout -- FILE`;

/** Null where the clone is prepared. */
async function prepare(
  params: Readonly<RunParams>,
  workspace: WorkspaceState,
  onOutput: (bytes: number) => void,
): Promise<RunOutcome | null> {
  const { spool, reports, stop, tools } = params;
  const { spec } = spool;
  if (spec.workspace.prepare === null) return null;
  const sandbox = await openSandbox(params, "prepare", spec.workspace.prepare.egress);
  try {
    const prepared = await prepareClone({
      sandbox,
      spec,
      directories: runDirectories(spec),
      workspace,
      git: tools.git,
      hasNetwork: spec.workspace.prepare.egress.length > 0,
      onEvent: reports.emit,
      onOutput,
      clock: tools.clock,
      signal: stop.signal,
    });
    if (prepared.outcome === "ready" || prepared.result.outcome === "passed") return null;
    const { command, exitCode, log } = prepared.result;
    return { ...failed("prepare.failed", `"${command}" failed (exit ${exitCode ?? "?"}).`, log), exitCode };
  } finally {
    await sandbox.close();
  }
}

function createOutputLimit(spec: RunSpec, stop: Stop): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total > spec.limits.outputBytes)
      stop.now({
        kind: "limit",
        code: "run.output_limit",
        text: `More than ${inMebibytes(spec.limits.outputBytes)} were printed (limits.outputBytes in miyabi.yaml).`,
      });
  };
}

/** What git and a shell need to write anything at all. */
const NO_ROOM_BYTES = 1024 * 1024;

const inMebibytes = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${bytes} bytes` : `${Math.round(bytes / (1024 * 1024))} MiB`;

/** The result with the handed-over commit; null where the run was lost. */
async function handOver(
  { spool, tools, stop }: Readonly<RunParams>,
  sandbox: RunSandbox,
  result: RunOutcome,
): Promise<RunOutcome | null> {
  const { spec } = spool;
  if (spec.agent === null || spec.workspace.mode !== "session") return result;
  const directories = runDirectories(spec);
  try {
    // Gone where an earlier host was killed between its clean-up and its last word.
    for (const directory of [directories.tmp, directories.handover]) await ensurePrivateDirectory(directory);
    const collected = await collectWork({
      spec,
      directories,
      sandbox,
      signal: stop.lostSignal,
    });
    if (collected.outcome === "empty") return result;
    if (collected.outcome === "unusable") return spoiled(result, collected.code, collected.message);
    const uploaded = await uploadBundle({
      controlPlaneUrl: tools.machine.controlPlaneUrl,
      readToken: tools.readToken,
      spec,
      file: collected.file,
      clock: tools.clock,
      random: tools.random,
      log: tools.log,
      signal: stop.lostSignal,
    });
    if (uploaded.outcome === "rejected") return spoiled(result, "handover.rejected", uploaded.message);
    if (uploaded.outcome === "accepted") return { ...result, commit: collected.commit };
    stop.now({ kind: "lost" });
    return null;
  } catch (error) {
    if (stop.lostSignal.aborted) return null;
    return spoiled(result, thrownOutcome(error).code ?? "handover.failed", messageOf(error));
  }
}

/** Work that cannot be handed over fails a run that would have succeeded; a failure keeps its own cause. */
const spoiled = (result: RunOutcome, code: string, message: string): RunOutcome =>
  result.outcome === "succeeded" ? { ...result, outcome: "failed", code, message } : result;

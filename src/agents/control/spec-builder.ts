import { createHash } from "node:crypto";
import path from "node:path";
import { AppError, type Home, type Random } from "../../base/index.ts";
import { ensureCache, fetchTarget, lockfileHash, sourcePathOf, type Git } from "../../repositories/index.ts";
import type { Database } from "../../store/index.ts";
import type { ClaimedRun } from "../../tasks/index.ts";
import type { AgentProfile } from "../profile.ts";
import { type RunSpec, sandboxIdOf } from "../protocol.ts";
import type { TeamSlot } from "../team/index.ts";
import { composeFollowUp, composePrompt, composeSummary } from "./prompts.ts";
import { commandsOf, isReview, loadRunContext, type RunContext } from "./run-context.ts";
import { chooseProfile } from "./usage-limits.ts";
import { openSession } from "./session-store.ts";

export interface SpecBuilderParams {
  readonly database: Database;
  readonly git: Git;
  readonly home: Home;
  readonly random: Random;
  /** Name of this machine; sessions stay on theirs. */
  readonly machine: string;
  /** Brings what the run starts from to this machine's cache, where other machines may have it; null: there are none. */
  readonly bringHere:
    | ((run: {
        readonly taskId: string;
        readonly cachePath: string;
        readonly commit: string | null;
      }) => Promise<void>)
    | null;
  readonly leaseMs: number;
  readonly sandbox: "bubblewrap" | "none";
  /** What may run where there is no sandbox. */
  readonly unsandboxed: "all" | "sample";
  readonly limits: RunSpec["limits"];
  /** Profile by name, else the installation's default. @throws config.invalid */
  readonly profileOf: (name: string | null) => AgentProfile;
  /** Profiles that may take over where one's usage limit is reached. */
  readonly insteadOf: Readonly<Record<string, readonly string[]>>;
}

export interface BuiltSpec {
  readonly spec: RunSpec;
  readonly context: RunContext;
  /** Key under which a check's result is cached; null where the run is no check. */
  readonly checkKey: string | null;
  readonly sessionId: string | null;
}

/**
 * Turns a leased run into what a host needs to carry it out: brings the cache up to date, fixes the task's base commit
 * when it starts, finds the session, composes the prompt. Repeatable: a second call for the same run gives the same work.
 * @throws repository.unusable, config.invalid, disk.full: the run cannot start, and why; UsageLimitReached.
 */
export async function buildSpec(
  params: Readonly<SpecBuilderParams>,
  claimed: ClaimedRun,
  slot: TeamSlot,
): Promise<BuiltSpec> {
  const context = await loadRunContext(params.database, claimed.runId);
  const { repository } = context;
  requireSandbox(params, context);
  const cachePath = await ensureCache(params.git, {
    repositoryId: repository.id,
    sourcePath: sourcePathOf(repository, params.home),
    cachesDir: params.home.repositoriesDir,
  });
  const starts = context.commit ?? context.cause.target ?? context.headCommit ?? context.baseCommit;
  await params.bringHere?.({ taskId: context.taskId, cachePath, commit: starts });
  const base = context.baseCommit ?? (await fixBase(params, context, cachePath));
  const isAgent = context.definition.kind === "agent";
  const review = isReview(context);
  const commit = starts ?? base;
  const { commands, egress } = commandsOf(context);
  const session = isAgent ? await sessionFor(params, context, slot) : null;
  const prepare = await prepareFor(params, context, cachePath, commit);
  const agent = session === null ? null : await agentPart(params, context, session, { base, review });
  return {
    context,
    sessionId: session?.id ?? null,
    checkKey:
      isAgent || context.definition.kind === "command"
        ? null
        : await checkKeyOf(params.git, cachePath, commit, commands, prepare?.cacheDir ?? null),
    spec: {
      runId: claimed.runId,
      attempt: claimed.attempt,
      taskId: context.taskId,
      taskTitle: context.title,
      step: context.definition.name,
      kind: context.definition.kind,
      role: slot.role,
      leaseMs: params.leaseMs,
      isShared: params.bringHere !== null,
      timeoutMs: context.definition.kind === "approval" ? 0 : context.definition.timeout,
      sandboxId: sandboxIdOf({ instance: params.home.instance, ...claimed }),
      token: claimed.token,
      workspace: {
        cacheDir: cachePath,
        mode: !isAgent ? "checkout" : review ? "review" : "session",
        dir: path.join(params.home.sessionsDir, session?.directory ?? `checkout-${claimed.runId}`),
        commit,
        branch: context.branch,
        base,
        author: { name: `${slot.name} (miyabi)`, email: `${slot.slot}@miyabi.invalid` },
        prepare,
      },
      agent,
      commands: [...commands],
      egress: isAgent ? [...context.workflow.egress, ...(agent?.profile.egress ?? [])] : [...egress],
      limits: params.limits,
      sandbox: params.sandbox,
    },
  };
}

/** Without a sandbox only our own sample runs, unless a person said otherwise. */
function requireSandbox(params: Readonly<SpecBuilderParams>, context: RunContext): void {
  if (params.sandbox === "bubblewrap" || params.unsandboxed === "all" || context.source === "sample") return;
  throw new AppError({
    code: "sandbox.unavailable",
    message: "There is no working sandbox on this machine, so agents and checks do not run.",
    fix: "miyabi doctor says what is missing; --unsafe-no-sandbox runs without one.",
  });
}

/** The commit that a task starts from is that of the target branch when its first run starts. */
async function fixBase(
  params: Readonly<SpecBuilderParams>,
  context: RunContext,
  cachePath: string,
): Promise<string> {
  const target = await fetchTarget(params.git, {
    cachePath,
    sourcePath: sourcePathOf(context.repository, params.home),
    branch: context.repository.targetBranch,
  });
  const { rows } = await params.database.query<{ base_commit: string }>(
    "update miyabi.tasks set base_commit = coalesce(base_commit, $2) where id = $1 returning base_commit",
    [context.taskId, target.commit],
  );
  return rows[0]?.base_commit ?? target.commit;
}

interface OpenedSession {
  readonly id: string;
  readonly profile: AgentProfile;
  readonly agentSessionId: string | null;
  readonly directory: string;
}

async function sessionFor(
  params: Readonly<SpecBuilderParams>,
  context: RunContext,
  slot: TeamSlot,
): Promise<OpenedSession> {
  const profile = await chooseProfile(params, context.profile ?? slot.profile);
  const role = context.definition.kind === "agent" ? context.definition.role : slot.role;
  const session = await openSession(params.database, {
    taskId: context.taskId,
    role,
    profile: profile.name,
    machine: params.machine,
    isShared: params.bringHere !== null,
  });
  return { ...session, profile };
}

async function agentPart(
  params: Readonly<SpecBuilderParams>,
  context: RunContext,
  session: OpenedSession,
  { base, review }: { readonly base: string; readonly review: boolean },
): Promise<NonNullable<RunSpec["agent"]>> {
  const prompt = {
    role: context.definition.kind === "agent" ? context.definition.role : "",
    step: context.definition.name,
    isReview: review,
    taskId: context.taskId,
    title: context.title,
    body: context.body,
    labels: context.labels,
    round: context.round,
    attempt: context.attempt,
    cause: context.cause,
    targetBranch: context.repository.targetBranch,
    base,
    commit: context.commit,
    nonce: params.random.token(9),
  };
  return {
    profile: session.profile,
    resumeSessionId: session.profile.resume === "none" ? null : session.agentSessionId,
    prompt: composePrompt(prompt),
    followUp: composeFollowUp(prompt),
    summary: composeSummary({ earlier: await earlierRuns(params.database, context), nonce: prompt.nonce }),
  };
}

async function earlierRuns(db: Database, context: RunContext) {
  const { rows } = await db.query<{
    step: string;
    cause: string;
    verdict: string | null;
    notes: string | null;
  }>(
    `select step, cause ->> 'reason' as cause, verdict, notes from miyabi.runs
     where task_id = $1 and attempt < $2 and kind = 'agent' and state in ('succeeded', 'failed', 'lost') order by attempt desc limit 20`,
    [context.taskId, context.attempt],
  );
  return [...rows].reverse();
}

async function prepareFor(
  params: Readonly<SpecBuilderParams>,
  context: RunContext,
  cachePath: string,
  commit: string,
): Promise<RunSpec["workspace"]["prepare"]> {
  const { prepare } = context.workflow;
  if (prepare === null) return null;
  const lock = await lockfileHash(params.git, { gitDir: cachePath, commit });
  const key = hashOf([lock.hash, prepare.commands, prepare.outputs]);
  return {
    commands: prepare.commands,
    outputs: prepare.outputs,
    egress: prepare.egress,
    cacheDir: path.join(params.home.prepareDir, `${context.repository.id}-${key}`),
  };
}

async function checkKeyOf(
  git: Git,
  cachePath: string,
  commit: string,
  commands: readonly string[],
  prepared: string | null,
): Promise<string> {
  const result = await git.run({
    cwd: cachePath,
    args: ["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`],
  });
  if (result.code !== 0)
    throw new AppError({
      code: "repository.unusable",
      message: `The commit ${commit} to check is not in the cache any more.`,
    });
  return hashOf([result.stdout.trim(), commands, prepared === null ? null : path.basename(prepared)]);
}

const hashOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 40);

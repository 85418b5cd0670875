import { z } from "zod";
import { runId, slotId, stepKind, taskId, transcriptItem } from "../contract/index.ts";
import { agentProfile } from "./profile.ts";

/**
 * Between an agent host and a control plane: JSON messages over one WebSocket (`/api/hosts/connect`, host token in the
 * `Authorization` header), plus `PUT /api/hosts/runs/:id/bundle` for a hand-over.
 * The host outlives the control plane: what it reports is spooled on its disk first and sent again after a reconnect until
 * it is acknowledged, so every message is idempotent. `runId` + `attempt` fence: an answer `lost` means that the run
 * belongs to somebody else now, and the host drops all of it.
 */

export const PROTOCOL_VERSION = 1;

/** What a host needs to carry out one run. Paths are on the host's machine. */
export const runSpec = z.object({
  runId,
  attempt: z.number().int().positive(),
  taskId,
  taskTitle: z.string(),
  step: z.string(),
  kind: stepKind,
  role: z.string(),
  /** The lease lasts this long after each renewal; the host renews at a third of it. */
  leaseMs: z.number().int().positive(),
  /** Another machine takes the run when its lease ends, also while this one's control plane is away. */
  isShared: z.boolean().default(false),
  /** The run is ended as failed after this time. */
  timeoutMs: z.number().int().positive(),
  /** Marks everything of this attempt in the machine's process table. */
  sandboxId: z.string(),
  /** Stands for this run towards gateway and MCP; dies with the attempt. Stays in the host, never enters the sandbox. */
  token: z.string(),
  workspace: z.object({
    /** Bare cache that clones borrow objects from; read-only for the sandbox. */
    cacheDir: z.string(),
    /** `session`: the session's writable clone (created where missing); `review`: its read-only clone at `commit`; `checkout`: a fresh clean checkout, deleted afterwards. */
    mode: z.enum(["session", "review", "checkout"]),
    /** Session directory with `clone/` and `home/`, or the directory for the checkout. */
    dir: z.string(),
    /** Commit to start from; for an existing session clone: what must be brought in (rebased target) first, if not contained. */
    commit: z.string(),
    branch: z.string(),
    /** The hand-over is `base..HEAD`. */
    base: z.string(),
    author: z.object({ name: z.string(), email: z.string() }),
    /** Commands of `prepare` and the directory of their cached result; null where the project has none. */
    prepare: z
      .object({
        commands: z.array(z.string()),
        cacheDir: z.string(),
        outputs: z.array(z.string()),
        /** Registries that only these commands may reach. */
        egress: z.array(z.string()).default([]),
      })
      .nullable(),
  }),
  agent: z
    .object({
      profile: agentProfile,
      /** The agent's own session to resume; null for a new one. */
      resumeSessionId: z.string().nullable(),
      prompt: z.string(),
      /** Sent instead of `prompt` where the agent's session was resumed and knows the task. */
      followUp: z.string(),
      /** Put before the prompt where the session could not be resumed. */
      summary: z.string(),
    })
    .nullable(),
  /** Shell commands of a check, prepare or command step, run one after the other; the first failure ends them. */
  commands: z.array(z.string()),
  /** Host names that the sandbox may reach through the egress proxy. */
  egress: z.array(z.string()),
  limits: z.object({
    outputBytes: z.number().int(),
    diskBytes: z.number().int(),
    handoverBytes: z.number().int(),
  }),
  sandbox: z.enum(["bubblewrap", "none"]),
});
export type RunSpec = z.infer<typeof runSpec>;

/** Other installations on the same machine have runs of the same numbers: their sandboxes must not be taken for ours. Pure. */
export const sandboxIdOf = (params: {
  /** Of the installation, `Home.instance`. */
  readonly instance: string;
  readonly runId: string;
  readonly attempt: number;
}): string => `${params.instance}.${params.runId}.${params.attempt}`;

/** Identity of a sandbox's PID namespace, so that any process on the machine can end it. */
export const sandboxIdentity = z.object({ initPid: z.number().int(), startTicks: z.string() });

export const runOutcome = z.object({
  outcome: z.enum(["succeeded", "failed", "cancelled", "quota"]),
  /** Machine-readable cause of a failure, e.g. `agent.no_verdict`, `agent.exited`, `check.failed`, `run.timeout`, `disk.quota`. */
  code: z.string().nullable(),
  /** One sentence for people. */
  message: z.string(),
  /** Command agents hand their verdict over in `$MIYABI_RESULT`; ACP agents through MCP. */
  verdict: z.string().nullable(),
  notes: z.string().nullable(),
  /** Head of the handed-over work; null where the run changed nothing or hands nothing over. */
  commit: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  tokensIn: z.number().int().nullable(),
  tokensOut: z.number().int().nullable(),
  quotaResetAt: z.iso.datetime({ offset: true }).nullable(),
  /** Tail of the output that explains a failure, for the agent that has to mend it; at most 20 KB. */
  log: z.string(),
});
export type RunOutcome = z.infer<typeof runOutcome>;

const ofRun = { runId, attempt: z.number().int().positive() };

export const hostMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    version: z.literal(PROTOCOL_VERSION),
    slot: slotId,
    pid: z.number().int(),
    startTicks: z.string(),
    machine: z.string(),
    /** The run that this host works on or still has reports of; `alive` is false where its agent died with an earlier host. */
    run: z.object({ ...ofRun, alive: z.boolean(), lastSeq: z.number().int() }).nullable(),
  }),
  z.object({ type: z.literal("heartbeat"), slot: slotId, state: z.enum(["idle", "busy", "taken-over"]) }),
  z.object({ type: z.literal("renew"), ...ofRun }),
  /** The agent or the commands run now. */
  z.object({
    type: z.literal("started"),
    ...ofRun,
    sandbox: sandboxIdentity.nullable(),
    agentSessionId: z.string().nullable(),
    resumed: z.boolean(),
  }),
  z.object({ type: z.literal("transcript"), ...ofRun, items: z.array(transcriptItem).max(500) }),
  z.object({
    type: z.literal("permission"),
    ...ofRun,
    requestId: z.string(),
    title: z.string(),
    options: z.array(z.object({ id: z.string(), name: z.string(), kind: z.string() })),
  }),
  z.object({ type: z.literal("finished"), ...ofRun, result: runOutcome }),
  /** A message of the mailbox was put before the agent's session. */
  z.object({ type: z.literal("message-delivered"), messageId: z.string() }),
  z.object({ type: z.literal("taken-over"), ...ofRun }),
  z.object({ type: z.literal("handed-back"), ...ofRun, commits: z.string() }),
]);
export type HostMessage = z.infer<typeof hostMessage>;

export const controlMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    heartbeatMs: z.number().int(),
    /** What the host shall do with the run it named in `hello`. */ run: z.enum(["continue", "drop", "none"]),
  }),
  z.object({ type: z.literal("assign"), spec: runSpec }),
  /** Transcript items up to `seq` are stored. */
  z.object({ type: z.literal("ack-transcript"), ...ofRun, seq: z.number().int() }),
  /** `finished` is committed (or was before); the host forgets the run. */
  z.object({ type: z.literal("ack-finished"), ...ofRun }),
  /** The run is not this host's any more: kill the agent, drop the spool, keep nothing. */
  z.object({ type: z.literal("lost"), ...ofRun }),
  z.object({ type: z.literal("renewed"), ...ofRun }),
  z.object({ type: z.literal("cancel"), ...ofRun, reason: z.string() }),
  /** The agent reported its verdict through MCP; the host need not remind it. */
  z.object({ type: z.literal("verdict"), ...ofRun, verdict: z.string() }),
  z.object({
    type: z.literal("permission-answer"),
    ...ofRun,
    requestId: z.string(),
    /** null cancels */ optionId: z.string().nullable(),
  }),
  /** A mailbox message for the agent that works here: becomes a prompt of its session. */
  z.object({ type: z.literal("message"), messageId: z.string(), from: z.string(), text: z.string() }),
  z.object({ type: z.literal("takeover"), ...ofRun }),
  z.object({ type: z.literal("handback"), ...ofRun }),
  /** Finish the run, then exit (0); a new host replaces it. */
  z.object({ type: z.literal("drain-and-exit") }),
  /** Text for the idle pane, e.g. the conductor's live view. */
  z.object({ type: z.literal("idle-view"), text: z.string() }),
]);
export type ControlMessage = z.infer<typeof controlMessage>;

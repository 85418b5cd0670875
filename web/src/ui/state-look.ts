import type {
  TASK_STATES,
  TaskState,
  StepState,
  RunState,
  SLOT_STATES,
} from "../../../src/contract/index.ts";

export type Tone = "idle" | "running" | "waiting" | "delivered" | "done" | "failed";
export type Shape =
  "ring" | "target" | "half" | "quarter" | "diamond" | "disc" | "cross" | "barred" | "dash" | "return";
export interface Look {
  readonly shape: Shape;
  readonly tone: Tone;
}

const QUEUED: Look = { shape: "ring", tone: "idle" };
const RUNNING: Look = { shape: "half", tone: "running" };
const WAITING: Look = { shape: "quarter", tone: "waiting" };
const DONE: Look = { shape: "disc", tone: "done" };
const FAILED: Look = { shape: "cross", tone: "failed" };
const OVER: Look = { shape: "dash", tone: "idle" };

export type SlotState = (typeof SLOT_STATES)[number];
export type MessageState = "queued" | "delivered" | "acknowledged" | "dead";
export type HealthState = "ok" | "degraded" | "down";

export type KeyState = "active" | "expired" | "revoked";
export type ProviderState = "ready" | "trying" | "out" | "no-key" | "available";
export type Support = "native" | "translated" | "estimated" | "none";

export interface StateDomains {
  readonly task: TaskState;
  readonly step: StepState;
  readonly run: RunState;
  readonly agent: SlotState;
  readonly message: MessageState;
  readonly health: HealthState;
  readonly key: KeyState;
  readonly provider: ProviderState;
  readonly support: Support;
}
export type StateDomain = keyof StateDomains;

/** One colour and one shape per state, the same on every page; the word beside it comes from the language files. */
export const LOOKS: { readonly [D in StateDomain]: Readonly<Record<StateDomains[D], Look>> } = {
  task: {
    queued: QUEUED,
    blocked: { shape: "barred", tone: "idle" },
    ready: { shape: "target", tone: "idle" },
    running: RUNNING,
    waiting: WAITING,
    delivered: { shape: "diamond", tone: "delivered" },
    done: DONE,
    failed: FAILED,
    cancelled: OVER,
  },
  step: {
    pending: QUEUED,
    running: RUNNING,
    waiting: WAITING,
    passed: DONE,
    returned: { shape: "return", tone: "waiting" },
    failed: FAILED,
    skipped: OVER,
    cancelled: OVER,
  },
  run: {
    queued: QUEUED,
    leased: { shape: "target", tone: "running" },
    running: RUNNING,
    succeeded: DONE,
    failed: FAILED,
    lost: { shape: "barred", tone: "failed" },
    cancelled: OVER,
  },
  agent: {
    starting: { shape: "target", tone: "running" },
    idle: QUEUED,
    busy: RUNNING,
    parked: WAITING,
    draining: { shape: "return", tone: "waiting" },
    "taken-over": { shape: "diamond", tone: "delivered" },
    down: FAILED,
  },
  message: {
    queued: QUEUED,
    delivered: { shape: "diamond", tone: "delivered" },
    acknowledged: DONE,
    dead: FAILED,
  },
  health: { ok: DONE, degraded: WAITING, down: FAILED },
  key: { active: DONE, expired: OVER, revoked: { shape: "barred", tone: "idle" } },
  provider: {
    ready: DONE,
    trying: WAITING,
    out: FAILED,
    "no-key": { shape: "barred", tone: "waiting" },
    available: QUEUED,
  },
  support: { native: DONE, translated: QUEUED, estimated: WAITING, none: OVER },
};

/** Every task state in the order in which the console lists them. */
export const TASK_STATE_ORDER = [
  "running",
  "waiting",
  "ready",
  "queued",
  "blocked",
  "delivered",
  "done",
  "failed",
  "cancelled",
] as const satisfies readonly (typeof TASK_STATES)[number][];

import type { TaskState } from "../../contract/index.ts";
import type { TransitionTable } from "./machine.ts";

/*
 * queued ── admit ──► ready ── start ──► running ── finish ──► done
 *   │                  ▲ ▲                │  │
 *  block         requeue │             wait  deliver
 *   ▼                  │ │                ▼  ▼
 * blocked ─ admit ─►   └──────────── waiting  delivered ── finish ──► done
 *
 * `fail` and `cancel` end every state that is not final; `retry` brings a failed, cancelled, waiting or delivered
 * task back to ready. Delivered is not done: its change is accepted but not yet on the target branch.
 */
export const TASK_INPUTS = [
  "admit",
  "block",
  "start",
  "requeue",
  "wait",
  "deliver",
  "finish",
  "fail",
  "cancel",
  "retry",
] as const;
export type TaskInput = (typeof TASK_INPUTS)[number];

export const TASK_TABLE: TransitionTable<TaskState, TaskInput> = {
  queued: { admit: "ready", block: "blocked", fail: "failed", cancel: "cancelled" },
  blocked: { admit: "ready", block: "blocked", fail: "failed", cancel: "cancelled" },
  ready: {
    start: "running",
    block: "blocked",
    wait: "waiting",
    requeue: "ready",
    deliver: "delivered",
    finish: "done",
    fail: "failed",
    cancel: "cancelled",
  },
  running: {
    start: "running",
    requeue: "ready",
    wait: "waiting",
    deliver: "delivered",
    finish: "done",
    fail: "failed",
    cancel: "cancelled",
  },
  waiting: {
    requeue: "ready",
    wait: "waiting",
    start: "running",
    deliver: "delivered",
    finish: "done",
    fail: "failed",
    cancel: "cancelled",
    retry: "ready",
  },
  delivered: {
    requeue: "ready",
    start: "running",
    deliver: "delivered",
    wait: "waiting",
    finish: "done",
    fail: "failed",
    cancel: "cancelled",
    retry: "ready",
  },
  done: {},
  failed: { retry: "ready" },
  cancelled: { retry: "ready" },
};

export const isFinal = (state: TaskState): boolean =>
  state === "done" || state === "failed" || state === "cancelled";

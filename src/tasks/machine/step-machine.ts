import type { StepState } from "../../contract/index.ts";
import type { TransitionTable } from "./machine.ts";

/*
 * pending ── begin ──► running ── pass ──► passed
 *                       │  ▲  └── return ─► returned   (sent the task back to an earlier step)
 *                    wait  begin
 *                       ▼  │
 *                     waiting ── pass / return / fail
 * `reopen` makes any ended step pending again when the task comes back to it; `cancel` ends what is open.
 */
export const STEP_INPUTS = ["begin", "wait", "pass", "return", "fail", "cancel", "reopen"] as const;
export type StepInput = (typeof STEP_INPUTS)[number];

export const STEP_TABLE: TransitionTable<StepState, StepInput> = {
  pending: { begin: "running", cancel: "cancelled", reopen: "pending" },
  running: {
    begin: "running",
    wait: "waiting",
    pass: "passed",
    return: "returned",
    fail: "failed",
    cancel: "cancelled",
    reopen: "pending",
  },
  waiting: {
    begin: "running",
    wait: "waiting",
    pass: "passed",
    return: "returned",
    fail: "failed",
    cancel: "cancelled",
    reopen: "pending",
  },
  passed: { reopen: "pending" },
  returned: { reopen: "pending" },
  failed: { reopen: "pending" },
  skipped: { reopen: "pending" },
  cancelled: { reopen: "pending" },
};

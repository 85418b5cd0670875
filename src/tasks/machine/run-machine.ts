import type { RunState } from "../../contract/index.ts";
import type { TransitionTable } from "./machine.ts";

/*
 * queued ── lease ──► leased ── start ──► running ── succeed ──► succeeded
 * `fail`, `lose` (lease expired, host or agent gone) and `cancel` end whatever is open. An ended run never opens
 * again: another try is another run with the next attempt number.
 */
export const RUN_INPUTS = ["lease", "start", "succeed", "fail", "lose", "cancel"] as const;
export type RunInput = (typeof RUN_INPUTS)[number];

const ENDS = { succeed: "succeeded", fail: "failed", lose: "lost", cancel: "cancelled" } as const;

export const RUN_TABLE: TransitionTable<RunState, RunInput> = {
  // A cached result ends a run that nobody ever leased.
  queued: { lease: "leased", ...ENDS },
  leased: { start: "running", ...ENDS },
  // A resumed agent starts again under the same lease.
  running: { start: "running", ...ENDS },
  succeeded: {},
  failed: {},
  lost: {},
  cancelled: {},
};

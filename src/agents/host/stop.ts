/** Why a run ends before its work is done. */
export type StopReason =
  /** The run belongs to somebody else: nothing of it may be reported or kept. */
  | { readonly kind: "lost" }
  | { readonly kind: "cancel"; readonly text: string }
  | { readonly kind: "timeout"; readonly text: string }
  /** Output, disk or processes beyond the limit. */
  | { readonly kind: "limit"; readonly code: string; readonly text: string }
  /** This host ends (SIGTERM): the next one reports it. */
  | { readonly kind: "shutdown" };

/** Ends a run from anywhere; the first reason counts, except that `lost` overrides every other. */
export interface Stop {
  readonly signal: AbortSignal;
  now(reason: StopReason): void;
  reason(): StopReason | null;
}

export class RunStopped extends Error {
  constructor() {
    super("The run was stopped.");
    this.name = "RunStopped";
  }
}

export function createStop(): Stop {
  const controller = new AbortController();
  let first: StopReason | null = null;
  return {
    signal: controller.signal,
    now: (reason) => {
      if (first === null || reason.kind === "lost") first = reason;
      controller.abort(new RunStopped());
    },
    reason: () => first,
  };
}

/** Why a run ends before its work is done. */
export type StopReason =
  /** The run belongs to somebody else: nothing of it may be reported or kept. */
  | { readonly kind: "lost" }
  | { readonly kind: "cancel"; readonly text: string }
  | { readonly kind: "timeout"; readonly text: string }
  /** Output, disk or processes beyond the limit. */
  | { readonly kind: "limit"; readonly code: string; readonly text: string };

/** Ends a run from anywhere; the first reason counts, except that `lost` overrides every other. */
export interface Stop {
  /** Aborts with every reason. */
  readonly signal: AbortSignal;
  /** Aborts with `lost` only: work that was cut short is still handed over. */
  readonly lostSignal: AbortSignal;
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
  const lost = new AbortController();
  let first: StopReason | null = null;
  return {
    signal: controller.signal,
    lostSignal: lost.signal,
    now: (reason) => {
      if (first === null || reason.kind === "lost") first = reason;
      controller.abort(new RunStopped());
      if (reason.kind === "lost") lost.abort(new RunStopped());
    },
    reason: () => first,
  };
}

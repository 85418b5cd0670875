import { beginStep } from "./begin-step.ts";
import type { Draft } from "./decision.ts";
import type { Reason } from "./model.ts";

/** Code of the reason that asks for the approval of what `params.digest` stands for. */
export const NEEDS_APPROVAL = "protected.changed";

/** Parks the task at its step until a person has approved exactly this change of protected paths. */
export function askForChange(draft: Draft, position: number, reason: Reason): void {
  draft.step(position, "wait", { reason });
  draft.task("wait", { waitsFor: "approval", reason });
  draft.effect({ type: "ask-approval", text: reason.message });
}

/** A person lets the change go out as it is, protected paths included; the step is carried out again. */
export function approveChange(draft: Draft, position: number): void {
  const approved = draft.aggregate.task.reason?.params["digest"];
  draft.step(position, "reopen", { data: { ...draft.stepAt(position).data, approved } });
  beginStep(draft, position);
}

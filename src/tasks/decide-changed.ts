import { AppError } from "../base/index.ts";
import { beginStep, cause, currentPosition, sendBack } from "./begin-step.ts";
import type { Draft } from "./decision.ts";
import { isFinal } from "./machine/task-machine.ts";
import { because } from "./reasons.ts";

/** The words of the task are others now: its agent gets them, and everything after it is done again. @throws conflict.state */
export function decideTextChanged(
  draft: Draft,
  happening: { readonly by: string; readonly text: string },
): void {
  const { task, activeRun, lastCause } = draft.aggregate;
  if (isFinal(task.state))
    throw new AppError({
      code: "conflict.state",
      message: `${task.id} has ended.`,
      fix: `miyabi task retry ${task.id}`,
    });
  if (task.takenOver)
    throw new AppError({
      code: "conflict.state",
      message: `A person works in the terminal of ${task.id}.`,
      fix: `miyabi handback ${task.id}`,
    });
  if (task.currentStep === null) return;
  const position = currentPosition(draft);
  const work = task.workflow.steps.findIndex((step) => step.kind === "agent" && step.onChanges === undefined);
  if (position < work) return;
  if (activeRun !== null) {
    // What has not begun begins with the new words.
    if (activeRun.state === "queued" && lastCause?.reason === "implement" && lastCause.again === null) return;
    const error = because("text.changed", `${happening.by} had the new text of its issue used.`, {
      by: happening.by,
    });
    draft.endRun({ id: activeRun.id, state: "cancelled", error, result: null });
  }
  draft.effect({ type: "close-approval" });
  const why = cause(
    "changes-requested",
    `The text of the task was changed. It says now:\n\n${happening.text}`,
  );
  if (position > work) return sendBack(draft, position, work, why);
  draft.step(position, "reopen", { failures: 0, losses: 0 });
  beginStep(draft, position, why);
}

import type { Approvals } from "../tasks/index.ts";
import type { Questions } from "./questions.ts";

export const APPROVE = "approve";
export const REJECT = "reject";

/** Approval steps as questions: at most one open per task and round, withdrawn when the task no longer waits for it. */
export function createApprovals(questions: Questions): Approvals {
  return {
    ask: async (tx, { taskId, text, round }) => {
      await questions.askIn(tx, {
        kind: "approval",
        taskId,
        runId: null,
        asker: "workflow",
        text,
        options: [APPROVE, REJECT],
        dedupeKey: `approval:${taskId}:${round}`,
      });
    },
    close: (tx, taskId) =>
      questions.withdrawIn(tx, {
        of: { taskId },
        kind: "approval",
        reason: "The task does not wait for it any more.",
      }),
    closeOfRun: (tx, runId) =>
      questions.withdrawIn(tx, { of: { runId }, reason: "The agent that asked has ended." }),
  };
}

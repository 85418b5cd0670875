import type { Random } from "../../../base/index.ts";
import type { Tx } from "../../../store/index.ts";
import { syncThroughOutbox } from "../../../tasks/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { CheckRunReply } from "../replies.ts";

/** Name of our own check run, and kind of the effect that writes it. */
export const CHECK_NAME = "miyabi";
export const CHECK_RUN = "check-run";

const MARKER = "miyabi:";

/** Written into the check run itself, so that it is found again. */
export const externalIdOf = (taskId: string, commit: string): string => `${MARKER}${taskId}:${commit}`;

export const isOwnCheck = ({ name, external_id: id }: Pick<CheckRunReply, "name" | "external_id">): boolean =>
  name === CHECK_NAME && id?.startsWith(MARKER) === true;

export type Conclusion = "success" | "failure" | "neutral";

const FAILED = ["check.failed", "check.rounds_used_up"];

/** What our check run concludes; null where it stays as it is: the task is being worked on. Pure. */
export function conclusionOf(task: HostedTask): Conclusion | null {
  const isHere = task.headCommit === task.pullRequest?.pushedCommit;
  if (task.state === "failed") return "failure";
  if (task.state === "cancelled") return "neutral";
  if (FAILED.includes(task.reason?.code ?? "")) return "failure";
  const isDelivered = ["wait-ci", "merge"].includes(task.stepKind ?? "") || task.state === "done";
  if (isHere && isDelivered) return "success";
  return task.state === "waiting" && task.waitsFor === "person" ? "neutral" : null;
}

/** Whether our check run is to say something else than it does. Pure. */
export function isCheckOutdated(task: HostedTask): boolean {
  const { pullRequest } = task;
  const conclusion = conclusionOf(task);
  if (conclusion === null || pullRequest?.pushedCommit == null) return false;
  const { checkRun, pushedCommit } = pullRequest;
  return checkRun?.commit !== pushedCommit || checkRun.conclusion !== conclusion;
}

/** Has the check run on the task's pull request follow its state, where there is one and GitHub lets us. */
export async function syncCheckRun(tx: Tx, random: Pick<Random, "uuid">, taskId: string): Promise<void> {
  const { rowCount } = await tx.query(
    `select 1 from miyabi.github_pull_requests p join miyabi.github_repositories g on g.name = p.repository
     where p.task_id = $1 and (g.checks_refused is null or (g.checks_refused ->> 'at')::timestamptz < now() - interval '1 day')`,
    [taskId],
  );
  if (rowCount > 0)
    await syncThroughOutbox(tx, random, { taskId, kind: CHECK_RUN, target: `${CHECK_RUN}:${taskId}` });
}

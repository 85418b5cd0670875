import type { Random } from "../../../base/index.ts";
import type { Tx } from "../../../store/index.ts";
import type { Reason } from "../../../tasks/index.ts";
import { answerComment } from "../commands/answer.ts";
import type { HostedTask } from "../hosted-task.ts";

const USED_UP: readonly string[] = [
  "review.remote_rounds_used_up",
  "ci.rounds_used_up",
  "merge.rounds_used_up",
];

export const isUsedUp = (reason: Reason | null): boolean => USED_UP.includes(reason?.code ?? "");

interface AskParams {
  readonly random: Pick<Random, "uuid">;
  readonly consoleUrl: string;
}

/**
 * Asks these people on the pull request what is to follow, where the task has just used up its rounds: a comment of its own, since an edit
 * tells nobody. True where it has used them up.
 */
export async function askWhereUsedUp(
  tx: Tx,
  params: Readonly<AskParams>,
  task: HostedTask,
  names: readonly (string | null)[],
): Promise<boolean> {
  const { rows } = await tx.query<{ reason: Reason | null }>(
    "select reason from miyabi.tasks where id = $1",
    [task.id],
  );
  const reason = rows[0]?.reason ?? null;
  if (reason === null || !isUsedUp(reason)) return false;
  if (task.reason?.code === reason.code) return true;
  const people = [...new Set(names)].filter((name) => name !== null && /^[A-Za-z0-9-]+$/.test(name));
  const text = [
    `${people.map((name) => `@${name}`).join(", ")}${people.length === 0 ? "" : ": "}${reason.message} It goes on when somebody decides:`,
    "",
    "- `/miyabi retry` gives the agent as many rounds again.",
    "- Merge or close this pull request, or push to its branch.",
    `- Work in the agent's terminal: \`miyabi takeover ${task.id}\`.`,
    "",
    `[${task.id} in the console](${params.consoleUrl}/tasks/${task.id})`,
  ].join("\n");
  await answerComment(tx, params.random, task.id, {
    repository: task.issue.repository,
    commentId: 0,
    number: task.pullRequest?.number ?? task.issue.number,
    reaction: null,
    text,
  });
  return true;
}

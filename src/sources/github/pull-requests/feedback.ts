import type { Random } from "../../../base/index.ts";
import { visibleText } from "../issue-text.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { ReviewReply } from "../replies.ts";
import type { WriteBackParams } from "../write-back/pull-request.ts";
import { askWhereUsedUp } from "./ask-by-name.ts";
import type { OpenThread } from "./review-threads.ts";
import { giveThreads, noteSeen, takeBack } from "./thread-store.ts";

interface FeedbackParams extends WriteBackParams {
  readonly random: Random;
}

interface Feedback {
  /** That ask for changes. */
  readonly reviews: readonly ReviewReply[];
  readonly threads: readonly OpenThread[];
  /** As in `noteSeen`. */
  readonly seen: { readonly until: Date; readonly unused: Readonly<Record<string, number>> } | null;
}

const HUNK_LINES = 15;

/** Hands what reviewers wrote to the session, once; where its rounds are used up, the reviewers are asked what follows. */
export async function giveFeedback(
  params: Readonly<FeedbackParams>,
  task: HostedTask,
  { reviews, threads, seen }: Readonly<Feedback>,
): Promise<void> {
  const names = [
    ...new Set([...reviews.map(({ user }) => user?.login ?? "somebody"), ...threads.map(({ by }) => by)]),
  ];
  const until = reviews.reduce(
    (latest, { submitted_at: at }) => (at !== undefined && at > latest ? at : latest),
    task.pullRequest?.feedbackUntil ?? new Date(0),
  );
  await params.database.transaction(async (tx) => {
    const numbers = await giveThreads(tx, task.id, threads);
    const text = [...reviews.map(reviewText), ...threads.map((one, at) => threadText(one, numbers[at] ?? 0))];
    await params.tasks.happenIn(tx, task.id, () => ({
      type: "feedback",
      by: names.join(", "),
      text: text.join("\n\n"),
    }));
    // They are handed over when somebody lets it go on.
    if (await askWhereUsedUp(tx, params, task, names)) return takeBack(tx, task.id, threads);
    await tx.query("update miyabi.github_pull_requests set feedback_until = $2 where task_id = $1", [
      task.id,
      until,
    ]);
    if (seen !== null) await noteSeen(tx, task.id, seen);
  });
}

const reviewText = ({ user, body }: ReviewReply): string =>
  [`${user?.login ?? "somebody"} asks for changes:`, visibleText(body)]
    .filter((part) => part !== "")
    .join("\n");

/** Lines of the hunk are indented, so that none of them passes for a comment. */
function threadText({ path, line, comments }: OpenThread, number: number): string {
  const hunk = (comments[0]?.hunk ?? "").split("\n").slice(-HUNK_LINES);
  return [
    `[thread ${number}] ${path}${line === null ? " (the line is gone)" : `:${line}`}`,
    ...hunk.filter((text) => text !== "").map((text) => `    ${text}`),
    ...comments.map(({ author, body }) => `${author ?? "somebody"}: ${visibleText(body)}`),
  ].join("\n");
}

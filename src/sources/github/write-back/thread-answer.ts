import { z } from "zod";
import { AppError, type Random } from "../../../base/index.ts";
import type { Tx } from "../../../store/index.ts";
import {
  addToOutbox,
  answersIn,
  withoutAnswers,
  type OutboxEntry,
  type OutboxHandler,
} from "../../../tasks/index.ts";
import { ANSWER_MARKER, readThread, replyTo, resolve } from "../pull-requests/review-threads.ts";
import { takeUnanswered } from "../pull-requests/thread-store.ts";
import type { HostedRepositories } from "../repositories.ts";
import { quoted } from "./pull-request-body.ts";

export const THREAD_ANSWER = "thread-answer";

const payload = z.object({
  repository: z.string(),
  thread: z.string(),
  text: z.string(),
  resolve: z.boolean(),
});

interface AnswerParams {
  readonly taskId: string;
  readonly repository: string;
  /** That the pull request is at now. */
  readonly commit: string;
  /** False where the agent committed nothing since it got the threads. */
  readonly isNew: boolean;
}

/** Answers each thread that the agent got with what it says of it, in the transaction that records the push. */
export async function answerThreads(
  tx: Tx,
  random: Pick<Random, "uuid">,
  { taskId, repository, commit, isNew }: Readonly<AnswerParams>,
): Promise<void> {
  const threads = await takeUnanswered(tx, taskId);
  if (threads.length === 0) return;
  // All of them: after a failed check the last one may speak of that alone.
  const { rows } = await tx.query<{ notes: string | null }>(
    `select notes from miyabi.runs where task_id = $1 and state = 'succeeded' and verdict = 'done' and finished_at >= $2 order by attempt`,
    [taskId, threads.reduce((first, { givenAt }) => (givenAt < first ? givenAt : first), new Date())],
  );
  const notes = rows.map((row) => row.notes ?? "").filter((text) => text !== "");
  const answers = answersIn(notes.join("\n"));
  for (const { threadId, number } of threads) {
    const answer = answers.get(number);
    const isDone = answer?.done === true && isNew;
    const words = answer?.text || withoutAnswers(notes.at(-1) ?? "");
    const text = [
      isDone
        ? `Done in ${commit}.`
        : answer?.done === false || !isNew
          ? "Not changed."
          : `${commit} was made after this; its author says nothing of this thread in particular.`,
      ...(words === "" ? [] : ["", quoted(words)]),
    ].join("\n");
    await addToOutbox(tx, random, {
      taskId,
      kind: THREAD_ANSWER,
      target: `thread:${threadId}`,
      payload: { repository, thread: threadId, text, resolve: isDone },
    });
  }
}

/** Writes the answer, found again by its marker, and resolves the thread where it was dealt with. */
export function createThreadAnswerHandler(
  params: Readonly<{ repositories: HostedRepositories; ownLogin: () => Promise<string> }>,
): OutboxHandler<null> {
  return {
    send: async (entry) => {
      const answer = payload.parse(entry.payload);
      const repository = await params.repositories.find(answer.repository);
      if (repository === null)
        throw new AppError({ code: "not_found", message: `${answer.repository} is no longer configured.` });
      // Before a first try too: it costs no more than what the rest would cost in vain on a thread that is gone.
      const thread = await readThread(repository, answer.thread);
      if (thread === null)
        throw new AppError({ code: "not_found", message: "The thread was deleted on GitHub." });
      const own = await params.ownLogin();
      const isWritten = thread.comments.some(
        ({ author, body }) => author === own && body.includes(markerOf(entry)),
      );
      if (!isWritten) await replyTo(repository, answer.thread, `${answer.text}\n\n${markerOf(entry)}`);
      if (answer.resolve && !thread.isResolved) await resolve(repository, answer.thread);
      return null;
    },
    settle: () => Promise.resolve(),
    // The commit is there; only the word of it is missing.
    giveUp: () => Promise.resolve(),
  };
}

const markerOf = ({ marker }: OutboxEntry): string => `${ANSWER_MARKER}${marker} -->`;

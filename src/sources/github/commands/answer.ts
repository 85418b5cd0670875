import { AppError, type Random } from "../../../base/index.ts";
import type { Tx } from "../../../store/index.ts";
import { addToOutbox, type OutboxEntry, type OutboxHandler } from "../../../tasks/index.ts";
import { z } from "zod";
import { anything, commentReply } from "../replies.ts";
import type { HostedRepositories } from "../repositories.ts";

/** What a comment is answered with. */
export interface Answer {
  readonly repository: string;
  readonly commentId: number;
  /** Page that a written answer goes to. */
  readonly number: number;
  /** Null: the comment has its reaction already. */
  readonly reaction: "+1" | "confused" | "eyes" | null;
  /** Markdown; null: the reaction says it all. */
  readonly text: string | null;
}

const payload = z.object({
  repository: z.string(),
  commentId: z.number(),
  number: z.number(),
  reaction: z.enum(["+1", "confused", "eyes"]).nullable(),
  text: z.string().nullable(),
});

/** Answers a comment, together with what the transaction records about it. */
export async function answerComment(
  tx: Tx,
  random: Pick<Random, "uuid">,
  taskId: string | null,
  answer: Answer,
): Promise<void> {
  await addToOutbox(tx, random, {
    taskId,
    kind: "comment-answer",
    target: `comment:${answer.repository}#${answer.commentId}`,
    payload: { ...answer },
  });
}

interface AnswerParams {
  readonly repositories: HostedRepositories;
  readonly ownLogin: () => Promise<string>;
}

/** Sets the reaction, which GitHub keeps once, and writes the answer, which is found again by its marker. */
export function createAnswerHandler(
  params: Readonly<AnswerParams>,
): OutboxHandler<{ readonly id: number | null }> {
  const read = async (entry: OutboxEntry) => {
    const answer = payload.parse(entry.payload);
    const repository = await params.repositories.find(answer.repository);
    if (repository === null)
      throw new AppError({ code: "not_found", message: `${answer.repository} is no longer configured.` });
    const [owner, repo] = repository.settings.name.split("/");
    return { ...answer, client: repository.client, at: { owner, repo } };
  };
  return {
    find: async (entry) => {
      const { client, at, number, text } = await read(entry);
      if (text === null) return null;
      const comments = await client.list(
        "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
        { ...at, issue_number: number },
        commentReply,
      );
      const login = await params.ownLogin();
      const own = comments.find(({ body, user }) => user?.login === login && body.includes(markerOf(entry)));
      return own === undefined ? null : { id: own.id };
    },
    send: async (entry) => {
      const { client, at, number, text, reaction, commentId } = await read(entry);
      if (reaction !== null)
        await client
          .call(
            "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
            { ...at, comment_id: commentId, content: reaction },
            anything,
          )
          .catch((error: unknown) => {
            // Its author deleted it meanwhile.
            if (!(error instanceof AppError) || error.code !== "not_found") throw error;
          });
      if (text === null) return { id: null };
      const { id } = await client.call(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        { ...at, issue_number: number, body: `${text}\n\n${markerOf(entry)}` },
        commentReply,
      );
      return { id };
    },
    settle: () => Promise.resolve(),
    // What the comment asked for has happened; only the word of it is missing.
    giveUp: () => Promise.resolve(),
  };
}

const markerOf = ({ marker }: OutboxEntry): string => `<!-- miyabi:answer:${marker} -->`;

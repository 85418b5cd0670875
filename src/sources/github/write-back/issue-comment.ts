import { AppError } from "../../../base/index.ts";
import type { GitHubClient } from "../client.ts";
import { commentReply } from "../replies.ts";

interface CommentParams {
  readonly client: GitHubClient;
  /** `owner/name`. */
  readonly name: string;
  readonly number: number;
  /** As we know it; null: it was not written, or its writer died before it was recorded. */
  readonly commentId: string | null;
  /** Any of these in a comment of ours says that it is the one. */
  readonly markers: readonly string[];
  readonly body: string;
  readonly ownLogin: string;
}

/** On an issue without a task. */
export const NOTICE_MARKER = "<!-- miyabi:notice -->";

/** Edits our one comment on an issue, or writes it. Returns its id. */
export async function writeIssueComment(params: Readonly<CommentParams>): Promise<number> {
  const { client, body } = params;
  const [owner, repo] = params.name.split("/");
  const at = { owner, repo, issue_number: params.number };
  const known = params.commentId ?? (await findComment(params, at));
  if (known !== null) {
    const edited = await client
      .call(
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        { owner, repo, comment_id: known, body },
        commentReply,
      )
      .catch((error: unknown) => {
        // A person deleted it.
        if (error instanceof AppError && error.code === "not_found") return null;
        throw error;
      });
    if (edited !== null) return edited.id;
  }
  const made = await client.call(
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    { ...at, body },
    commentReply,
  );
  return made.id;
}

/** Ours from a try that died before it was recorded. Others can copy the marker, but not our name. */
async function findComment(
  { client, ownLogin, markers }: Readonly<CommentParams>,
  at: object,
): Promise<number | null> {
  const comments = await client.list(
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    { ...at },
    commentReply,
  );
  const own = comments.find(
    ({ body, user }) => user?.login === ownLogin && markers.some((marker) => body.includes(marker)),
  );
  return own?.id ?? null;
}

import { syncThroughOutbox } from "../../../tasks/index.ts";
import { commentReply, type CommentReply } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { carryOut } from "./carry-out.ts";
import { knownComments, recordComment, threadOf } from "./comment-store.ts";
import { parseCommand } from "./parse.ts";
import type { CommandsParams } from "./ports.ts";

/** Comments on issues and pull requests, read for commands. */
export interface Commands {
  /** Asks for the comments that changed, where something did since they were last asked for. */
  poll(repository: HostedRepository, signal: AbortSignal): Promise<void>;
  /** Looks at one comment. */
  lookAt(repository: HostedRepository, commentId: number): Promise<void>;
}

// Clocks differ, and replicas lag.
const OVERLAP_MS = 60_000;
const PAGE = 100;
const MAX_PAGES = 50;

export function createCommands(params: Readonly<CommandsParams>): Commands {
  const { database } = params;
  return {
    poll: async (repository, signal) => {
      const { rows } = await database.query<{ comments_since: Date | null; comments_behind: boolean }>(
        "select comments_since, comments_behind from miyabi.github_repositories where name = $1",
        [repository.key],
      );
      const [cursor] = rows;
      if (cursor?.comments_behind !== true) return;
      // What was written before we knew the repository was not written to us.
      const from = cursor.comments_since ?? params.clock.now();
      const until = await readSince(params, repository, new Date(from.getTime() - OVERLAP_MS), signal);
      if (until === null) return;
      await database.query(
        "update miyabi.github_repositories set comments_since = greatest($2, $3::timestamptz), comments_behind = false where name = $1",
        [repository.key, from, until],
      );
    },
    lookAt: async (repository, commentId) => {
      const [owner, repo] = repository.settings.name.split("/");
      const route = "GET /repos/{owner}/{repo}/issues/comments/{comment_id}";
      await look(
        params,
        repository,
        await repository.client.call(route, { owner, repo, comment_id: commentId }, commentReply),
      );
    },
  };
}

/** Looks at all comments from `since` on, oldest change first. When the newest was changed; null where it was cut short. */
async function readSince(
  params: Readonly<CommandsParams>,
  repository: HostedRepository,
  since: Date,
  signal: AbortSignal,
): Promise<Date | null> {
  const [owner, repo] = repository.settings.name.split("/");
  let until = since;
  const comments = await repository.client.list(
    "GET /repos/{owner}/{repo}/issues/comments",
    { owner, repo, sort: "updated", direction: "asc", per_page: PAGE, since: since.toISOString() },
    commentReply,
    MAX_PAGES,
  );
  const ids = comments.map(({ id }) => id);
  const known = await knownComments(params.database, repository.key, ids);
  for (const comment of comments) {
    if (signal.aborted) return null;
    if (!known.has(comment.id)) await look(params, repository, comment);
    if (comment.updated_at > until) until = comment.updated_at;
  }
  return until;
}

async function look(
  params: Readonly<CommandsParams>,
  repository: HostedRepository,
  comment: CommentReply,
): Promise<void> {
  const { database } = params;
  const author = comment.user?.login;
  const number = Number(/\/issues\/(\d+)$/.exec(comment.issue_url)?.[1]);
  if (author === undefined || !Number.isInteger(number)) return;
  // Ours have a marker at their end, which the words of an agent in them cannot take away.
  if (comment.body.includes("<!-- miyabi:") && author === (await params.ownLogin())) return;
  if ((await knownComments(database, repository.key, [comment.id])).size > 0) return;
  const thread = await threadOf(database, repository.key, number);
  const command = parseCommand(comment.body);
  const handled = {
    repository: repository.key,
    id: comment.id,
    number,
    taskId: thread?.taskId ?? null,
    author,
    command: command?.name ?? null,
    writtenAt: comment.created_at,
  };
  if (command !== null && (await params.trust.isTrusted(repository.client, repository.settings, author))) {
    await carryOut(params, repository, { command, comment: handled, issue: thread?.issue ?? number });
    params.log.info({ ...handled, command: command.name }, "command in a comment");
    return;
  }
  // Comments on what is no task of ours are nobody's business.
  const { taskId } = handled;
  if (taskId === null) return;
  await database.transaction(async (tx) => {
    const outcome = command === null ? "not-used" : "untrusted";
    if (!(await recordComment(tx, { ...handled, outcome }))) return;
    await syncThroughOutbox(tx, params.random, {
      taskId,
      kind: "progress",
      target: `progress:${taskId}`,
      delayMs: 2_000,
    });
  });
}

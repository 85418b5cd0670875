import { z } from "zod";
import { actorReply } from "../issue-snapshot.ts";
import type { HostedRepository } from "../repositories.ts";

/** A thread of a review: comments on one place of the change. */
export interface ReviewThread {
  /** GraphQL's. */
  readonly id: string;
  readonly isResolved: boolean;
  readonly path: string;
  /** Null where the line is gone. */
  readonly line: number | null;
  /** Oldest first. */
  readonly comments: readonly ThreadComment[];
}

export interface ThreadComment {
  readonly author: string | null;
  readonly body: string;
  readonly hunk: string;
}

/** Marker of our own answers. */
export const ANSWER_MARKER = "<!-- miyabi:thread:";

const COMMENTS = "comments(first: 100) { nodes { author { __typename login } body diffHunk } }";
const THREADS = `query ($owner: String!, $repo: String!, $number: Int!) { repository(owner: $owner, name: $repo) { pullRequest(number: $number) {
  reviewThreads(last: 100) { nodes { id isResolved path line ${COMMENTS} } } } } }`;
const THREAD = `query ($thread: ID!) { node(id: $thread) { ... on PullRequestReviewThread { id isResolved path line ${COMMENTS} } } }`;
const REPLY = `mutation ($input: AddPullRequestReviewThreadReplyInput!) { addPullRequestReviewThreadReply(input: $input) { comment { id } } }`;
const RESOLVE = `mutation ($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { thread { id isResolved } } }`;

const thread = z
  .object({
    id: z.string(),
    isResolved: z.boolean(),
    path: z.string(),
    line: z.number().int().nullable(),
    comments: z.object({
      nodes: z.array(z.object({ author: actorReply, body: z.string(), diffHunk: z.string() })),
    }),
  })
  .transform(({ comments, ...one }): ReviewThread => ({
    ...one,
    comments: comments.nodes.map(({ author, body, diffHunk }) => ({ author, body, hunk: diffHunk })),
  }));
const threadsReply = z.object({
  repository: z.object({ pullRequest: z.object({ reviewThreads: z.object({ nodes: z.array(thread) }) }) }),
});
const threadReply = z.object({ node: thread.nullable() });

type Place = Pick<HostedRepository, "client" | "settings">;

/** The newest hundred threads of a pull request. */
export async function readThreads(
  { client, settings }: Place,
  number: number,
): Promise<readonly ReviewThread[]> {
  const [owner, repo] = settings.name.split("/");
  const { repository } = await client.graphql(THREADS, { owner, repo, number }, threadsReply);
  return repository.pullRequest.reviewThreads.nodes;
}

/** Null where it is gone. */
export async function readThread({ client }: Place, id: string): Promise<ReviewThread | null> {
  return (await client.graphql(THREAD, { thread: id }, threadReply)).node;
}

export async function replyTo({ client }: Place, id: string, body: string): Promise<void> {
  await client.graphql(REPLY, { input: { pullRequestReviewThreadId: id, body } }, z.unknown());
}

export async function resolve({ client }: Place, id: string): Promise<void> {
  await client.graphql(RESOLVE, { input: { threadId: id } }, z.unknown());
}

/** Threads that the agent is to get, and whose comments are not used. */
export interface SortedThreads {
  readonly open: readonly OpenThread[];
  /** Number of comments by author. */
  readonly unused: Readonly<Record<string, number>>;
}

/** A thread with something new from trusted people; its comments are theirs and our answers. */
export interface OpenThread extends ReviewThread {
  /** Comments of trusted people in it. */
  readonly given: number;
  /** Who wrote last in it. */
  readonly by: string;
}

interface SortParams {
  readonly threads: readonly ReviewThread[];
  /** Logins whose word counts. */
  readonly trusted: ReadonlySet<string>;
  readonly ownLogin: string;
  /** Comments of trusted people that the agent got, by thread. */
  readonly given: ReadonlyMap<string, number>;
}

/** Pure. */
export function sortThreads({ threads, trusted, ownLogin, given }: Readonly<SortParams>): SortedThreads {
  const unused: Record<string, number> = {};
  const open: OpenThread[] = [];
  for (const one of threads) {
    const isOurs = ({ author, body }: ThreadComment): boolean =>
      author === ownLogin && body.includes(ANSWER_MARKER);
    const words = one.comments.filter(
      (comment) => comment.author !== null && trusted.has(comment.author) && !isOurs(comment),
    );
    for (const comment of one.comments)
      if (!isOurs(comment) && !words.includes(comment)) {
        const author = comment.author ?? "ghost";
        unused[author] = (unused[author] ?? 0) + 1;
      }
    const by = words.at(-1)?.author ?? null;
    if (one.isResolved || by === null || words.length <= (given.get(one.id) ?? 0)) continue;
    const comments = one.comments.filter((comment) => isOurs(comment) || words.includes(comment));
    open.push({ ...one, comments, given: words.length, by });
  }
  return { open, unused };
}

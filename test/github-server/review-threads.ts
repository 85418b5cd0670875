import { emit } from "./deliveries.ts";
import { headOf } from "./git.ts";
import { failed, type Graphql } from "./graphql-answer.ts";
import type { Issue, Repository, State, Thread } from "./state.ts";
import { actorNode } from "./views.ts";

interface Place {
  readonly state: State;
  readonly repository: Repository;
}

/** Each comment belongs to a review, also one that stands alone. */
async function review({ state, repository }: Place, pull: Issue, user: string): Promise<void> {
  const commit = (await headOf(repository.gitDir, pull.pull?.head ?? "")) ?? "";
  pull.pull?.reviews.push({
    id: (state.ids += 1),
    user,
    state: "COMMENTED",
    body: "",
    submitted_at: new Date().toISOString(),
    commit_id: commit,
  });
  emit(state, repository, "pull_request_review", {
    action: "submitted",
    pull_request: { number: pull.number },
  });
}

/** Somebody comments on a line of a change. */
export async function startThread(
  place: Place,
  pull: Issue,
  said: { readonly by: string; readonly path: string; readonly line: number; readonly body: string },
): Promise<Thread> {
  const thread: Thread = {
    id: `PRRT_${(place.state.ids += 1)}`,
    isResolved: false,
    path: said.path,
    line: said.line,
    comments: [{ user: said.by, body: said.body, hunk: "@@ -1 +1 @@\n-tea\n+tea 1" }],
  };
  if (pull.pull === null) throw new Error(`#${pull.number} is no pull request`);
  (pull.pull.threads ??= []).push(thread);
  await review(place, pull, said.by);
  return thread;
}

/** Somebody answers in a thread. */
export async function sayIn(
  place: Place,
  pull: Issue,
  thread: Thread,
  said: { readonly by: string; readonly body: string },
): Promise<void> {
  thread.comments.push({ user: said.by, body: said.body, hunk: "" });
  await review(place, pull, said.by);
}

const threadNode = ({ id, isResolved, path, line, comments }: Thread): object => ({
  id,
  isResolved,
  path,
  line,
  comments: {
    nodes: comments.map(({ user, body, hunk }) => ({ author: actorNode(user), body, diffHunk: hunk })),
  },
});

function find(state: State, id: unknown): { place: Place; pull: Issue; thread: Thread } | null {
  for (const repository of state.repositories.values())
    for (const pull of repository.issues.values()) {
      const thread = pull.pull?.threads?.find((one) => one.id === id);
      if (thread !== undefined) return { place: { state, repository }, pull, thread };
    }
  return null;
}

const gone = (id: unknown) =>
  failed("NOT_FOUND", `Could not resolve to a node with the global id of '${String(id)}'`);

/** https://docs.github.com/graphql/reference: `PullRequestReviewThread` and its mutations. */
export const THREAD_QUERIES: readonly (readonly [RegExp, Graphql])[] = [
  [
    /reviewThreads\(/,
    ({ pull }) => ({
      data: {
        repository: {
          pullRequest: { reviewThreads: { nodes: (pull?.pull?.threads ?? []).map(threadNode) } },
        },
      },
    }),
  ],
  [
    /node\(id: \$thread\)/,
    ({ state, variables }) => {
      const found = find(state, variables["thread"]);
      return found === null ? gone(variables["thread"]) : { data: { node: threadNode(found.thread) } };
    },
  ],
  [
    /addPullRequestReviewThreadReply\(/,
    async ({ state, input }) => {
      const id = input["pullRequestReviewThreadId"];
      const found = find(state, id);
      if (found === null) return gone(id);
      await sayIn(found.place, found.pull, found.thread, { by: state.login, body: String(input["body"]) });
      return { data: { addPullRequestReviewThreadReply: { comment: { id: "PRRC_1" } } } };
    },
  ],
  [
    /resolveReviewThread\(/,
    ({ state, input }) => {
      const found = find(state, input["threadId"]);
      if (found === null) return gone(input["threadId"]);
      found.thread.isResolved = true;
      return { data: { resolveReviewThread: { thread: { id: found.thread.id, isResolved: true } } } };
    },
  ],
];

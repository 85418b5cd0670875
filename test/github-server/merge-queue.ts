import { mergeByHand } from "./changes.ts";
import { emit, emitPull } from "./deliveries.ts";
import { headOf, mergeTree } from "./git.ts";
import { failed, pullById, pullId, type Graphql } from "./graphql-answer.ts";
import type { CheckRun, Issue, Repository, State } from "./state.ts";
import { actorNode } from "./views.ts";

interface Place {
  readonly state: State;
  readonly repository: Repository;
}

const branchOf = (issue: Issue, commit: string): string =>
  `refs/heads/gh-readonly-queue/main/pr-${issue.number}-${commit}`;

/** The queue's turn comes: it merges. Returns the commit. */
export async function mergeFromQueue(place: Place, issue: Issue): Promise<string> {
  leave(place.repository, issue);
  const commit = await mergeByHand(place, issue);
  emit(place.state, place.repository, "merge_group", {
    action: "destroyed",
    reason: "merged",
    merge_group: { head_ref: branchOf(issue, commit), head_sha: commit },
  });
  return commit;
}

/** It is taken out of the queue. `checks`: of the merged result. */
export async function removeFromQueue(
  { state, repository }: Place,
  issue: Issue,
  how: { readonly reason: string; readonly by: string; readonly checks?: readonly CheckRun[] },
): Promise<void> {
  leave(repository, issue);
  const commit = "c".repeat(36) + String(issue.number).padStart(4, "0");
  if (how.checks !== undefined) repository.checks.set(commit, [...how.checks]);
  (issue.pull as NonNullable<Issue["pull"]>).removed = {
    createdAt: new Date().toISOString(),
    reason: how.reason,
    by: how.by,
    commit,
  };
  emit(state, repository, "merge_group", {
    action: "destroyed",
    reason: "dequeued",
    merge_group: { head_ref: branchOf(issue, commit), head_sha: commit },
  });
  await emitPull(state, repository, issue, "dequeued");
}

function leave({ mergeQueue }: Repository, issue: Issue): void {
  const at = mergeQueue?.entries.findIndex(({ number }) => number === issue.number) ?? -1;
  if (at >= 0) mergeQueue?.entries.splice(at, 1);
}

const entryOf = ({ mergeQueue }: Repository, { number }: Issue): object | null => {
  const found = mergeQueue?.entries.find((one) => one.number === number);
  return found === undefined
    ? null
    : { id: `MQE_${number}`, state: "AWAITING_CHECKS", enqueuedAt: found.enqueuedAt };
};

/** https://docs.github.com/graphql/reference: `MergeQueue`, its entries and mutations. */
export const QUEUE_QUERIES: readonly (readonly [RegExp, Graphql])[] = [
  [
    /mergeQueue\(branch: \$branch\)/,
    ({ repository, pull }) => {
      if (repository === undefined || pull?.pull == null)
        return failed("NOT_FOUND", "Could not resolve to a PullRequest");
      const { merged, mergeCommit, removed } = pull.pull;
      return {
        data: {
          repository: {
            mergeQueue: repository.mergeQueue === undefined ? null : { id: "MQ_1" },
            pullRequest: {
              id: pullId(repository, pull),
              state: merged ? "MERGED" : pull.state === "open" ? "OPEN" : "CLOSED",
              mergeCommit: mergeCommit === null ? null : { oid: mergeCommit },
              mergeQueueEntry: entryOf(repository, pull),
              timelineItems: {
                nodes:
                  removed === undefined
                    ? []
                    : [
                        {
                          __typename: "RemovedFromMergeQueueEvent",
                          createdAt: removed.createdAt,
                          reason: removed.reason,
                          actor: actorNode(removed.by),
                          beforeCommit: { oid: removed.commit },
                        },
                      ],
              },
            },
          },
        },
      };
    },
  ],
  [
    /enqueuePullRequest\(/,
    async ({ state, input }) => {
      const found = pullById(state, input["pullRequestId"]);
      if (found === null) return failed("NOT_FOUND", "Could not resolve to a node");
      const { repository, pull } = found;
      const { mergeQueue } = repository;
      const { head = "", base = "" } = pull.pull ?? {};
      if (mergeQueue === undefined) return failed("UNPROCESSABLE", "The merge queue is not enabled");
      if (entryOf(repository, pull) !== null)
        return failed("UNPROCESSABLE", "Pull request is already in the queue");
      if ((await headOf(repository.gitDir, head)) !== input["expectedHeadOid"])
        return failed("UNPROCESSABLE", "Head sha was changed");
      if (pull.state !== "open" || (await mergeTree(repository.gitDir, base, head)) === null)
        return failed("UNPROCESSABLE", "Pull request is not mergeable");
      mergeQueue.entries.push({ number: pull.number, enqueuedAt: new Date().toISOString() });
      mergeQueue.enqueued += 1;
      return { data: { enqueuePullRequest: { mergeQueueEntry: entryOf(repository, pull) } } };
    },
  ],
  [
    /dequeuePullRequest\(/,
    ({ state, input }) => {
      const found = pullById(state, input["id"]);
      if (found === null) return failed("NOT_FOUND", "Could not resolve to a node");
      const entry = entryOf(found.repository, found.pull);
      if (entry === null) return failed("UNPROCESSABLE", "Pull request is not in the queue");
      leave(found.repository, found.pull);
      return { data: { dequeuePullRequest: { mergeQueueEntry: entry } } };
    },
  ],
];

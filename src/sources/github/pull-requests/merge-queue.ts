import { z } from "zod";
import { AppError } from "../../../base/index.ts";
import type { GitHubClient } from "../client.ts";
import { actorReply } from "../issue-snapshot.ts";
import type { HostedRepository } from "../repositories.ts";

/** A pull request as GitHub's merge queue sees it. */
export interface QueuePlace {
  /** GraphQL's id of the pull request. */
  readonly pullId: string;
  /** Whether changes of the target branch go through a merge queue. */
  readonly hasQueue: boolean;
  /** Since when it stands in the queue, by GitHub's clock; null: it does not. */
  readonly enqueuedAt: string | null;
  readonly mergedAs: string | null;
  /** When and why it was taken out last; null: never. */
  readonly removed: Removal | null;
}

export interface Removal {
  readonly at: Date;
  readonly by: string | null;
  /** GitHub's own word. */
  readonly reason: string;
  /** Commit whose checks decided; null where GitHub does not say. */
  readonly commit: string | null;
}

const QUEUE = `query ($owner: String!, $repo: String!, $number: Int!, $branch: String!) { repository(owner: $owner, name: $repo) {
  mergeQueue(branch: $branch) { id }
  pullRequest(number: $number) { id state mergeCommit { oid } mergeQueueEntry { id state enqueuedAt }
    timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) { nodes { __typename
      ... on RemovedFromMergeQueueEvent { createdAt reason actor { __typename login } beforeCommit { oid } } } } } } }`;

const ENQUEUE = `mutation ($input: EnqueuePullRequestInput!) { enqueuePullRequest(input: $input) { mergeQueueEntry { id state enqueuedAt } } }`;
const DEQUEUE = `mutation ($input: DequeuePullRequestInput!) { dequeuePullRequest(input: $input) { mergeQueueEntry { id } } }`;

const entry = z.object({ id: z.string(), state: z.string(), enqueuedAt: z.string() });
const commit = z.object({ oid: z.string() }).nullable();
const placeReply = z.object({
  repository: z.object({
    mergeQueue: z.object({ id: z.string() }).nullable(),
    pullRequest: z.object({
      id: z.string(),
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      mergeCommit: commit,
      mergeQueueEntry: entry.nullable(),
      timelineItems: z.object({
        nodes: z.array(
          z.object({
            createdAt: z.coerce.date(),
            reason: z
              .string()
              .nullish()
              .transform((reason) => reason ?? ""),
            actor: actorReply,
            beforeCommit: commit,
          }),
        ),
      }),
    }),
  }),
});
const enqueueReply = z.object({ enqueuePullRequest: z.object({ mergeQueueEntry: entry }) });

/** Null where the server knows of no merge queues, as GitHub Enterprise before 3.8. */
export async function readQueuePlace(
  { client, settings, targetBranch }: Pick<HostedRepository, "client" | "settings" | "targetBranch">,
  number: number,
): Promise<QueuePlace | null> {
  const [owner, repo] = settings.name.split("/");
  const { repository } = await client
    .graphql(QUEUE, { owner, repo, number, branch: targetBranch }, placeReply)
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === "github.refused" && /mergeQueue/.test(error.message))
        return { repository: null };
      throw error;
    });
  if (repository === null) return null;
  const { pullRequest: pull, mergeQueue } = repository;
  const [removed] = pull.timelineItems.nodes;
  return {
    pullId: pull.id,
    hasQueue: mergeQueue !== null,
    enqueuedAt: pull.mergeQueueEntry?.enqueuedAt ?? null,
    mergedAs: pull.state === "MERGED" ? (pull.mergeCommit?.oid ?? null) : null,
    removed:
      removed === undefined
        ? null
        : {
            at: removed.createdAt,
            by: removed.actor,
            reason: removed.reason,
            commit: removed.beforeCommit?.oid ?? null,
          },
  };
}

/** Puts it into the queue, at exactly this commit. Resolves with since when it is there. @throws github.refused */
export async function enqueue(client: GitHubClient, pullId: string, head: string): Promise<string> {
  const made = await client.graphql(
    ENQUEUE,
    { input: { pullRequestId: pullId, expectedHeadOid: head } },
    enqueueReply,
  );
  return made.enqueuePullRequest.mergeQueueEntry.enqueuedAt;
}

export async function dequeue(client: GitHubClient, pullId: string): Promise<void> {
  await client.graphql(DEQUEUE, { input: { id: pullId } }, z.unknown());
}

/** What follows for a pull request that is out of the queue and not merged. Pure. */
export type Afterwards = "conflict" | "checks" | "person";

export function afterRemoval(reason: string): Afterwards {
  if (/conflict/i.test(reason)) return "conflict";
  // A check that never ended says nothing that an agent could mend.
  if (/time.?(?:d.?)?out/i.test(reason)) return "person";
  return /check|\bci\b|ci_|status/i.test(reason) ? "checks" : "person";
}

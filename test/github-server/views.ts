import { headOf, mergeTree } from "./git.ts";
import type { Comment, Issue, Related, Repository } from "./state.ts";

const user = (login: string): { readonly login: string } => ({ login });

/** Replies in GitHub's form: https://docs.github.com/rest */
export function issueView({ owner, name }: Repository, issue: Issue): object {
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    user: user(issue.user),
    labels: issue.labels.map((label) => ({ name: label })),
    updated_at: new Date(issue.updatedAt).toISOString(),
    html_url: `https://github.example/${owner}/${name}/issues/${issue.number}`,
    ...(issue.pull === null ? {} : { pull_request: {} }),
  };
}

export const commentView = (
  { owner, name }: Repository,
  issue: Issue,
  { reactions: _reactions, ...comment }: Comment,
): object => ({
  ...comment,
  user: user(comment.user),
  issue_url: `https://api.github.example/repos/${owner}/${name}/issues/${issue.number}`,
});
export const eventView = ({ actor, ...event }: Issue["events"][number]): object => ({
  ...event,
  actor: user(actor),
});
export const bySomebody = <T extends { readonly user: string }>(one: T): object => ({
  ...one,
  user: user(one.user),
});

export async function pullView(repository: Repository, issue: Issue): Promise<object> {
  const { pull, number, title, body, state } = issue;
  if (pull === null) return {};
  const [head, base] = await Promise.all([
    headOf(repository.gitDir, pull.head),
    headOf(repository.gitDir, pull.base),
  ]);
  const tree = pull.merged || head === null ? null : await mergeTree(repository.gitDir, pull.base, pull.head);
  return {
    number,
    title,
    body,
    state,
    html_url: `https://github.example/${repository.owner}/${repository.name}/pull/${number}`,
    merged: pull.merged,
    mergeable: pull.merged ? null : tree !== null,
    mergeable_state: tree === null ? "dirty" : "clean",
    merge_commit_sha: pull.mergeCommit,
    head: { ref: pull.head, sha: head ?? pull.lastHead ?? "0".repeat(40) },
    base: { ref: pull.base, sha: base },
  };
}

const relatedNode = ({ repository, issue }: Related): object => ({
  number: issue.number,
  state: issue.state.toUpperCase(),
  repository: { nameWithOwner: `${repository.owner}/${repository.name}` },
});

/** A login as GraphQL has it. */
export const actorNode = (login: string): object | null =>
  login === ""
    ? null
    : { __typename: login.endsWith("[bot]") ? "Bot" : "User", login: login.replace("[bot]", "") };

/** An issue as GraphQL has it. */
export function issueNode(repository: Repository | undefined, issue: Issue): object {
  const by = actorNode;
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body,
    url: `https://github.example/${repository?.owner ?? ""}/${repository?.name ?? ""}/issues/${issue.number}`,
    state: issue.state.toUpperCase(),
    lastEditedAt: issue.edited?.at ?? null,
    editor: issue.edited === null ? null : by(issue.edited.by),
    labels: { nodes: issue.labels.map((name) => ({ name })) },
    blockedBy: { nodes: (issue.blockedBy ?? []).map(relatedNode) },
    subIssues: { nodes: (issue.subIssues ?? []).map(relatedNode) },
    timelineItems: {
      nodes: issue.events
        .filter(({ event }) => ["labeled", "renamed", "reopened"].includes(event))
        .slice(-100)
        .map((one) =>
          one.event === "labeled"
            ? {
                __typename: "LabeledEvent",
                id: `LE_${one.id}`,
                createdAt: one.created_at,
                actor: by(one.actor),
                label: one.label,
              }
            : {
                __typename: one.event === "renamed" ? "RenamedTitleEvent" : "ReopenedEvent",
                createdAt: one.created_at,
                actor: by(one.actor),
              },
        ),
    },
  };
}

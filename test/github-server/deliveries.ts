import { createHmac, randomUUID } from "node:crypto";
import { git } from "./git.ts";
import type { Comment, Issue, Repository, State } from "./state.ts";
import { commentView, issueView, pullView } from "./views.ts";

/** Where webhooks go. What happens is kept in `pending` until a test sends it; with `automatic` it is sent at once. */
export interface Hook {
  readonly url: string;
  readonly secret: string;
  readonly automatic: boolean;
  readonly pending: Delivery[];
}

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly payload: object;
}

/** Something happened that GitHub tells of. */
export function emit(state: State, repository: Repository, event: string, said: object): void {
  const { hook } = state;
  if (hook === null) return;
  const { owner, name } = repository;
  const payload = { ...said, repository: { full_name: `${owner}/${name}` }, sender: { login: state.login } };
  const delivery = { id: randomUUID(), event, payload };
  if (hook.automatic) void send(hook, delivery).catch(() => {});
  else hook.pending.push(delivery);
}

export function emitIssue(
  state: State,
  repository: Repository,
  issue: Issue,
  action: string,
  said: object = {},
): void {
  if (issue.pull !== null) return;
  emit(state, repository, "issues", { action, issue: issueView(repository, issue), ...said });
}

export async function emitPull(
  state: State,
  repository: Repository,
  issue: Issue,
  action: string,
): Promise<void> {
  if (state.hook === null) return;
  emit(state, repository, "pull_request", { action, pull_request: await pullView(repository, issue) });
}

export function emitComment(
  state: State,
  repository: Repository,
  issue: Issue,
  comment: Comment,
  action = "created",
): void {
  const said = {
    action,
    issue: issueView(repository, issue),
    comment: commentView(repository, issue, comment),
  };
  emit(state, repository, "issue_comment", said);
}

const NOTHING = "0".repeat(40);

/** Branches by name. */
export async function branchesOf({ gitDir }: Repository): Promise<ReadonlyMap<string, string>> {
  const text = await git(gitDir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads");
  return new Map(
    text.split("\n").flatMap((line) => {
      const [ref, commit] = line.split(" ");
      return ref === undefined || commit === undefined ? [] : [[ref, commit] as const];
    }),
  );
}

/** Tells of every branch that is not where it was. */
export async function emitPushes(
  state: State,
  repository: Repository,
  before: ReadonlyMap<string, string>,
): Promise<void> {
  const after = await branchesOf(repository);
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(ref) ?? NOTHING, after.get(ref) ?? NOTHING];
    if (from === to) continue;
    emit(state, repository, "push", { ref, before: from, after: to, deleted: to === NOTHING });
  }
}

/** Sends one delivery as GitHub does. Resolves with the status that it is answered with. */
export async function send(
  hook: Hook,
  { id, event, payload }: Delivery,
  { secret = hook.secret, isTruncated = false } = {},
): Promise<number> {
  const body = JSON.stringify(payload);
  const response = await fetch(hook.url, {
    method: "POST",
    // What a proxy that broke off sends on.
    body: isTruncated ? body.slice(0, body.length / 2) : body,
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/test",
      "x-github-delivery": id,
      "x-github-event": event,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Sends what is pending, with the faults of a network. Resolves with the statuses. */
export async function sendPending(
  hook: Hook,
  how: {
    readonly twice?: boolean;
    readonly reversed?: boolean;
    readonly lost?: boolean;
    readonly truncated?: boolean;
  } = {},
): Promise<number[]> {
  let deliveries = hook.pending.splice(0);
  if (how.lost === true) return [];
  if (how.reversed === true) deliveries = deliveries.reverse();
  if (how.twice === true) deliveries = deliveries.flatMap((one) => [one, one]);
  const statuses: number[] = [];
  for (const one of deliveries) statuses.push(await send(hook, one, { isTruncated: how.truncated === true }));
  return statuses;
}

import { CHECK_ROUTES } from "./checks.ts";
import { branchesOf, emitComment, emitIssue, emitPull, emitPushes } from "./deliveries.ts";
import { headOf, squash, mergeTree } from "./git.ts";
import type { Comment, Issue, Repository, State } from "./state.ts";
import { bySomebody, commentView, eventView, issueView, pullView } from "./views.ts";

export interface Call {
  readonly state: State;
  readonly repository: Repository;
  readonly issue: Issue;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly match: RegExpExecArray;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** Where it is now, for a redirect. */
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (call: Call) => Reply | Promise<Reply>;

const ok = (body: unknown): Reply => ({ status: 200, body });
const refused = (status: number, message: string): Reply => ({ status, body: { message } });
const now = (): string => new Date().toISOString();

export function touch(issue: Issue): void {
  issue.updatedAt = Math.max(Date.now(), issue.updatedAt + 1);
}

/** Routes below `/repos/{owner}/{repo}`, as GitHub documents them; `{n}` is an issue's or a pull request's number. */
export const ROUTES: readonly (readonly [string, RegExp, Handler])[] = [
  ["GET", /^\/issues$/, listIssues],
  ["GET", /^\/issues\/(\d+)$/, ({ repository, issue }) => ok(issueView(repository, issue))],
  ["GET", /^\/issues\/(\d+)\/events$/, ({ issue }) => ok(issue.events.map(eventView))],
  ["GET", /^\/issues\/(\d+)\/labels$/, ({ issue }) => ok(issue.labels.map((name) => ({ name })))],
  ["POST", /^\/issues\/(\d+)\/labels$/, addLabels],
  ["DELETE", /^\/issues\/(\d+)\/labels\/(.+)$/, removeLabel],
  [
    "GET",
    /^\/issues\/(\d+)\/comments$/,
    ({ repository, issue }) => ok(issue.comments.map((one) => commentView(repository, issue, one))),
  ],
  ["GET", /^\/issues\/comments$/, listComments],
  ["GET", /^\/issues\/comments\/(\d+)$/, (call) => onComment(call, () => undefined)],
  ["POST", /^\/issues\/comments\/(\d+)\/reactions$/, addReaction],
  ["POST", /^\/issues\/(\d+)\/comments$/, addComment],
  ["PATCH", /^\/issues\/comments\/(\d+)$/, editComment],
  [
    "GET",
    /^\/collaborators\/([^/]+)\/permission$/,
    ({ repository, match }) => ok({ permission: repository.permissions.get(match[1] ?? "") ?? "read" }),
  ],
  [
    "GET",
    /^\/branches\/(.+)$/,
    async ({ repository, match }) => {
      const name = decodeURIComponent(match[1] ?? "");
      const sha = await headOf(repository.gitDir, name);
      return sha === null ? refused(404, "Branch not found") : ok({ name, commit: { sha } });
    },
  ],
  ["GET", /^\/pulls$/, listPulls],
  ["POST", /^\/pulls$/, openPull],
  ["GET", /^\/pulls\/(\d+)$/, async ({ repository, issue }) => ok(await pullView(repository, issue))],
  [
    "PATCH",
    /^\/pulls\/(\d+)$/,
    async ({ repository, issue, body }) => {
      if (typeof body["body"] === "string") issue.body = body["body"];
      touch(issue);
      return ok(await pullView(repository, issue));
    },
  ],
  ["PUT", /^\/pulls\/(\d+)\/merge$/, mergePull],
  ["GET", /^\/pulls\/(\d+)\/reviews$/, ({ issue }) => ok((issue.pull?.reviews ?? []).map(bySomebody))],
  ...CHECK_ROUTES,
  ["GET", /^\/commits\/([^/]+)\/status$/, () => ok({ state: "pending", statuses: [] })],
  ["GET", /^\/actions\/jobs\/(\d+)\/logs$/, () => refused(404, "Not Found")],
];

function listIssues({ repository, query }: Call): Reply {
  const since = query.get("since");
  const label = query.get("labels");
  const wanted = [...repository.issues.values()]
    .filter((issue) => query.get("state") === "all" || issue.state === "open")
    .filter((issue) => since === null || issue.updatedAt >= Date.parse(since))
    .filter((issue) => label === null || issue.labels.includes(label))
    .sort((a, b) => (query.get("sort") === "created" ? a.number - b.number : a.updatedAt - b.updatedAt));
  const size = Number(query.get("per_page") ?? 30);
  const page = Number(query.get("page") ?? 1);
  return ok(wanted.slice((page - 1) * size, page * size).map((issue) => issueView(repository, issue)));
}

/** Somebody writes a comment. */
export function writeComment(
  state: State,
  repository: Repository,
  issue: Issue,
  { body, by }: { readonly body: string; readonly by: string },
): Comment {
  const at = now();
  const comment = { id: (state.ids += 1), body, user: by, created_at: at, updated_at: at, reactions: [] };
  issue.comments.push(comment);
  touch(issue);
  emitComment(state, repository, issue, comment);
  return comment;
}

function listComments({ repository, query }: Call): Reply {
  const since = Date.parse(query.get("since") ?? "1970-01-01");
  const found = [...repository.issues.values()].flatMap((issue) =>
    issue.comments
      .filter(({ updated_at: at }) => Date.parse(at) >= since)
      .map((comment) => ({ at: comment.updated_at, view: commentView(repository, issue, comment) })),
  );
  found.sort((a, b) => a.at.localeCompare(b.at));
  const size = Number(query.get("per_page") ?? 30);
  const page = Number(query.get("page") ?? 1);
  return ok(found.slice((page - 1) * size, page * size).map(({ view }) => view));
}

function onComment(
  { repository, match }: Call,
  change: (issue: Issue, comment: Comment) => object | undefined,
): Reply {
  for (const issue of repository.issues.values()) {
    const comment = issue.comments.find(({ id }) => id === Number(match[1]));
    if (comment !== undefined) return ok(change(issue, comment) ?? commentView(repository, issue, comment));
  }
  return refused(404, "Not Found");
}

function addReaction(call: Call): Reply {
  return onComment(call, (_issue, { reactions }) => {
    const reaction = { user: call.state.login, content: String(call.body["content"]) };
    if (!reactions.some(({ user, content }) => user === reaction.user && content === reaction.content))
      reactions.push(reaction);
    return reaction;
  });
}

function addLabels({ repository, issue, body, state }: Call): Reply {
  for (const name of body["labels"] as string[]) {
    if (issue.labels.includes(name)) continue;
    issue.labels.push(name);
    issue.events.push({
      id: (state.ids += 1),
      event: "labeled",
      actor: state.login,
      created_at: now(),
      label: { name },
    });
    emitIssue(state, repository, issue, "labeled", { label: { name } });
  }
  touch(issue);
  return ok(issue.labels.map((name) => ({ name })));
}

function removeLabel({ state, repository, issue, match }: Call): Reply {
  const name = decodeURIComponent(match[2] ?? "");
  if (!issue.labels.includes(name)) return refused(404, "Label does not exist");
  issue.labels = issue.labels.filter((label) => label !== name);
  touch(issue);
  emitIssue(state, repository, issue, "unlabeled", { label: { name } });
  return ok([]);
}

function addComment({ repository, issue, body, state }: Call): Reply {
  const comment = writeComment(state, repository, issue, { body: String(body["body"]), by: state.login });
  return { status: 201, body: commentView(repository, issue, comment) };
}

function editComment(call: Call): Reply {
  return onComment(call, (issue, comment) => {
    comment.body = String(call.body["body"]);
    comment.updated_at = now();
    touch(issue);
    emitComment(call.state, call.repository, issue, comment, "edited");
    return undefined;
  });
}

async function listPulls({ repository, query }: Call): Promise<Reply> {
  const head = query.get("head")?.split(":")[1];
  const found = [...repository.issues.values()].filter(
    ({ pull, state }) => pull !== null && state === "open" && (head === undefined || pull.head === head),
  );
  return ok(await Promise.all(found.map((issue) => pullView(repository, issue))));
}

async function openPull({ repository, body, state }: Call): Promise<Reply> {
  const head = String(body["head"]);
  if ((await headOf(repository.gitDir, head)) === null)
    return refused(422, "Validation Failed: head is invalid");
  const isOpen = [...repository.issues.values()].some(
    ({ pull, state: at }) => pull?.head === head && at === "open",
  );
  if (isOpen) return refused(422, "A pull request already exists");
  const number = repository.issues.size + 1;
  const issue: Issue = {
    number,
    title: String(body["title"]),
    body: String(body["body"]),
    state: "open",
    user: state.login,
    labels: [],
    updatedAt: Date.now(),
    pull: {
      head,
      base: String(body["base"]),
      merged: false,
      mergeCommit: null,
      reviews: [],
    },
    edited: null,
    events: [],
    comments: [],
  };
  repository.issues.set(number, issue);
  await emitPull(state, repository, issue, "opened");
  return { status: 201, body: await pullView(repository, issue) };
}

async function mergePull({ state, repository, issue, body }: Call): Promise<Reply> {
  const { pull } = issue;
  if (pull === null) return refused(404, "Not Found");
  if (repository.mergeQueue !== undefined)
    return refused(405, "Changes must be made through the merge queue");
  if ((await headOf(repository.gitDir, pull.head)) !== body["sha"])
    return refused(409, "Head branch was modified");
  if (pull.merged || (await mergeTree(repository.gitDir, pull.base, pull.head)) === null)
    return refused(405, "Pull Request is not mergeable");
  const message = `${issue.title} (#${issue.number})\n\n${issue.body}`;
  const before = await branchesOf(repository);
  pull.mergeCommit = await squash(repository.gitDir, { base: pull.base, head: pull.head, message });
  pull.merged = true;
  issue.state = "closed";
  const closes = /closes #(\d+)/i.exec(issue.body)?.[1];
  const closed = repository.issues.get(Number(closes));
  if (closed !== undefined) closed.state = "closed";
  for (const one of [issue, closed]) if (one !== undefined) touch(one);
  await emitPushes(state, repository, before);
  await emitPull(state, repository, issue, "closed");
  if (closed !== undefined) emitIssue(state, repository, closed, "closed");
  return ok({ sha: pull.mergeCommit, merged: true });
}

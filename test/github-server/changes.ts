import { rename } from "node:fs/promises";
import path from "node:path";
import { branchesOf, emit, emitIssue, emitPull, emitPushes } from "./deliveries.ts";
import { git, headOf, squash } from "./git.ts";
import { touch } from "./routes.ts";
import type { Issue, Repository, State } from "./state.ts";

/** What people do on GitHub's pages while a task is under way. */
interface Place {
  readonly state: State;
  readonly repository: Repository;
}

const note = ({ state }: Place, issue: Issue, event: string, actor: string, label?: string): void =>
  void issue.events.push({
    id: (state.ids += 1),
    event,
    actor,
    created_at: new Date().toISOString(),
    ...(label === undefined ? {} : { label: { name: label } }),
  });

export function closeIssue(place: Place, issue: Issue): void {
  issue.state = "closed";
  touch(issue);
  emitIssue(place.state, place.repository, issue, "closed");
}

export function reopenIssue(place: Place, issue: Issue, by: string): void {
  issue.state = "open";
  note(place, issue, "reopened", by);
  touch(issue);
  emitIssue(place.state, place.repository, issue, "reopened");
}

export function removeLabel(place: Place, issue: Issue, name: string): void {
  issue.labels = issue.labels.filter((label) => label !== name);
  touch(issue);
  emitIssue(place.state, place.repository, issue, "unlabeled", { label: { name } });
}

export function addLabel(place: Place, issue: Issue, name: string, by: string): void {
  issue.labels.push(name);
  note(place, issue, "labeled", by, name);
  touch(issue);
  emitIssue(place.state, place.repository, issue, "labeled", { label: { name } });
}

export function editIssue(place: Place, issue: Issue, by: string, body: string): void {
  issue.body = body;
  issue.edited = { at: new Date().toISOString(), by };
  touch(issue);
  emitIssue(place.state, place.repository, issue, "edited");
}

/** It leaves the repository: to another one, or for good. No list shows it any more. */
export function removeIssue(place: Place, issue: Issue, to: Repository | null): void {
  const { state, repository } = place;
  repository.issues.delete(issue.number);
  const number = to === null ? 0 : to.issues.size + 1;
  to?.issues.set(number, { ...issue, number });
  repository.gone.set(issue.number, to === null ? null : { repository: `${to.owner}/${to.name}`, number });
  emitIssue(state, repository, issue, to === null ? "deleted" : "transferred");
}

/** Deletes a branch; GitHub closes its pull request. */
export async function deleteBranch(place: Place, name: string): Promise<void> {
  const { state, repository } = place;
  const before = await branchesOf(repository);
  for (const issue of repository.issues.values())
    if (issue.pull?.head === name && issue.state === "open") {
      issue.state = "closed";
      issue.pull.lastHead = await headOf(repository.gitDir, name);
      touch(issue);
      await emitPull(state, repository, issue, "closed");
    }
  await git(repository.gitDir, "update-ref", "-d", `refs/heads/${name}`);
  await emitPushes(state, repository, before);
}

/** Moves a branch to a commit of somebody else's, made there. Returns it. */
export async function pushTo(place: Place, name: string, commit?: string): Promise<string> {
  const { state, repository } = place;
  const before = await branchesOf(repository);
  const ref = `refs/heads/${name}`;
  const made =
    commit ?? (await git(repository.gitDir, "commit-tree", `${ref}^{tree}`, "-p", ref, "-m", "By a person"));
  await git(repository.gitDir, "update-ref", ref, made);
  await emitPushes(state, repository, before);
  return made;
}

/** Somebody presses the button. Returns the commit. */
export async function mergeByHand(place: Place, issue: Issue): Promise<string> {
  const { state, repository } = place;
  if (issue.pull === null) throw new Error(`#${issue.number} is no pull request`);
  const before = await branchesOf(repository);
  const message = `${issue.title} (#${issue.number})`;
  const { base, head } = issue.pull;
  const commit = await squash(repository.gitDir, { base, head, message });
  issue.pull.mergeCommit = commit;
  issue.pull.merged = true;
  issue.state = "closed";
  touch(issue);
  await emitPushes(state, repository, before);
  await emitPull(state, repository, issue, "closed");
  return commit;
}

/** Calls the repository another name, and answers for the old one with redirects; git does not follow those. */
export async function renameRepository(place: Place, name: string): Promise<void> {
  const { state, repository } = place;
  const before = { name: repository.name, key: `${repository.owner}/${repository.name}` };
  const key = `${repository.owner}/${name}`;
  const gitDir = path.join(path.dirname(repository.gitDir), `${name}.git`);
  await rename(repository.gitDir, gitDir);
  repository.gitDir = gitDir;
  repository.name = name;
  state.repositories.delete(before.key);
  state.repositories.set(key, repository);
  state.renamed.set(before.key, key);
  emit(state, repository, "repository", {
    action: "renamed",
    changes: { repository: { name: { from: before.name } } },
  });
}

export function archiveRepository({ state, repository }: Place, isArchived: boolean): void {
  repository.archived = isArchived;
  emit(state, repository, "repository", { action: isArchived ? "archived" : "unarchived" });
}

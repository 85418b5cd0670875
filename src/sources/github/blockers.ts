import { AppError } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { GitHubClient } from "./client.ts";
import type { IssueSnapshot } from "./issue-snapshot.ts";
import { dependenciesIn } from "./issue-text.ts";
import { issueStateReply } from "./replies.ts";
import type { HostedRepository } from "./repositories.ts";

/** What an issue depends on. Issues are named `owner/name#12`, small letters. */
export interface Blockers {
  /** Tasks that must be merged first. */
  readonly tasks: readonly string[];
  /** Open issues that are no tasks yet. */
  readonly waitsFor: readonly string[];
  /** From the issue over what it waits for back to itself; null: it does not wait for itself. */
  readonly cycle: readonly string[] | null;
}

/**
 * Reads what an issue depends on: GitHub's own "blocked by", its sub-issues, lines such as `depends: #12` in its text, and
 * those `listed` in a file of the repository.
 * A closed issue that is no task holds nothing up: it was done otherwise.
 */
export async function findBlockers(
  db: Queryable,
  repository: HostedRepository,
  issue: Pick<IssueSnapshot, "number" | "blockers">,
  text: string,
  listed: readonly string[],
): Promise<Blockers> {
  const self = `${repository.key}#${issue.number}`;
  const related = new Map(issue.blockers.map(({ reference, isOpen }) => [reference, isOpen]));
  const references = [
    ...new Set([...related.keys(), ...dependenciesIn(text, repository.settings.name), ...listed]),
  ];
  if (references.length === 0) return { tasks: [], waitsFor: [], cycle: null };
  const tasks = await tasksOf(db, references);
  const waitsFor: string[] = [];
  for (const reference of references) {
    if (tasks.has(reference)) continue;
    if (related.get(reference) ?? (await isOpen(repository.client, reference))) waitsFor.push(reference);
  }
  return { tasks: [...tasks.values()], waitsFor, cycle: await cycleThrough(db, self, waitsFor) };
}

/** True also where it cannot be read: that it is done is nowhere said. */
async function isOpen(client: GitHubClient, reference: string): Promise<boolean> {
  const [name = "", number] = reference.split("#");
  const [owner, repo] = name.split("/");
  try {
    const route = "GET /repos/{owner}/{repo}/issues/{issue_number}";
    const { state } = await client.call(
      route,
      { owner, repo, issue_number: Number(number) },
      issueStateReply,
    );
    return state === "open";
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return true;
    throw error;
  }
}

/** Tasks of issues, by `owner/name#12`. */
async function tasksOf(db: Queryable, references: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ reference: string; task_id: string }>(
    `select i.repository || '#' || i.number as reference, i.task_id from miyabi.github_issues i
     where i.task_id is not null and i.repository || '#' || i.number = any($1)`,
    [references],
  );
  return new Map(rows.map((row) => [row.reference, row.task_id]));
}

/** Follows who waits for whom from `first` on until it comes back to `self`. */
async function cycleThrough(
  db: Queryable,
  self: string,
  first: readonly string[],
): Promise<readonly string[] | null> {
  if (first.includes(self)) return [self, self];
  if (first.length === 0) return null;
  const { rows } = await db.query<{ path: string[] }>(
    `with recursive waiting as (
       select repository || '#' || number as issue, jsonb_array_elements_text(intake -> 'on') as waits_for
       from miyabi.github_issues where task_id is null and intake ->> 'outcome' = 'waits'),
     path as (
       select issue, waits_for, array[issue] as path from waiting where issue = any($2)
       union all
       select w.issue, w.waits_for, p.path || w.issue from path p join waiting w on w.issue = p.waits_for
       where not w.issue = any(p.path) and w.issue <> $1)
     select path from path where waits_for = $1 order by cardinality(path), path limit 1`,
    [self, first],
  );
  const [found] = rows;
  return found === undefined ? null : [self, ...found.path, self];
}

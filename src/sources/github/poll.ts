import { createLoop, toAppError, type Clock, type Log, type Loop, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { Commands } from "./commands/commands.ts";
import type { IssueIntake } from "./issue-intake.ts";
import { readIssues } from "./issue-snapshot.ts";
import { byClass } from "./routing.ts";
import { createReconciliation } from "./reconcile.ts";
import { lookAgain } from "./held-issues.ts";
import { issueReply, type IssueReply } from "./replies.ts";
import type { HostedRepositories, HostedRepository } from "./repositories.ts";
import type { RepositoryState } from "./repository-state.ts";
import type { GitHubSettings } from "./settings.ts";
import { z } from "zod";

interface PollParams {
  readonly settings: GitHubSettings;
  readonly repositories: HostedRepositories;
  readonly intake: IssueIntake;
  readonly commands: Commands;
  readonly state: RepositoryState;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Cursor {
  readonly issues_since: Date | null;
  readonly issues_etag: string | null;
}

// Clocks differ, and replicas of GitHub lag: a little is looked at twice.
const OVERLAP_MS = 60_000;
const PAGE = 100;
// Who asks more seldom has requests to spare.
const SPARING_SECONDS = 90;

/**
 * Asks each repository for the issues that changed; one request each, free while nothing did. What could not be looked at stays
 * before the cursor, so nothing is skipped, however long we were away.
 */
export function createPoll(params: Readonly<PollParams>): Loop {
  const reconciliation = createReconciliation(params);
  const spared = new Set<string>();
  /**
   * Asks what the list of changes does not tell. Where nothing is new, the list is left out this once: of a repository at rest one
   * question a round is enough.
   */
  const isListDue = async (repository: HostedRepository): Promise<boolean> => {
    const wasSpared = spared.delete(repository.key);
    let changed = await reconciliation.look(repository);
    // Never for long: what is troubled is looked at each time.
    if (changed === null && !wasSpared) changed = await params.state.check(repository);
    if (changed !== false || params.settings.pollSeconds > SPARING_SECONDS) return true;
    spared.add(repository.key);
    return false;
  };
  return createLoop({
    name: "github-poll",
    intervalMs: params.settings.pollSeconds * 1_000,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async (signal) => {
      for (const settings of params.settings.repositories) {
        if (signal.aborted) return;
        try {
          const repository = await params.repositories.open(settings);
          if (await isListDue(repository)) await pollOne(params, repository, signal);
          await params.commands.poll(repository, signal);
          await lookAgain(params, repository, signal);
          if (!(await hadError(params.database, settings.name))) continue;
          // First what waited, then the note: where we die in between, it is done again.
          await params.state.found(repository.key);
          await noteError(params.database, settings.name, null);
        } catch (error) {
          const known = toAppError(error);
          params.log.warn(
            { repository: settings.name, error: known.message },
            "repository could not be polled",
          );
          await noteError(params.database, settings.name, { code: known.code, message: known.message });
          await params.state.lost(settings.name.toLowerCase(), known);
          // What holds one repository of this connection up holds all of them up.
          if (known.code === "github.rate_limited") return;
        }
      }
    },
  });
}

async function pollOne(
  params: Readonly<PollParams>,
  repository: HostedRepository,
  signal: AbortSignal,
): Promise<void> {
  const { database, intake } = params;
  const cursor = await readCursor(database, repository.key);
  const from = cursor.issues_since === null ? null : new Date(cursor.issues_since.getTime() - OVERLAP_MS);
  const listed = await listChanged(repository, from, cursor.issues_etag);
  if (listed === null) return;
  const newest = listed.issues.at(-1)?.updated_at;
  // Where there is no room for all, the first of these get it.
  const inOrder = listed.issues.toSorted(byClass(params.settings));
  // Only now, since what becomes of an issue changes it, and with it its place in the list.
  for (let at = 0; at < inOrder.length; at += PAGE) {
    const some = inOrder.slice(at, at + PAGE);
    const starting = await intake.starting(repository, some);
    const snapshots = await readIssues(repository.client, repository.settings.name, starting);
    for (const issue of some) {
      if (signal.aborted) return;
      await intake.look(repository, issue, snapshots.get(issue.number));
    }
  }
  const next = newest ?? cursor.issues_since ?? params.clock.now();
  // The tag belongs to the question with this very `since`; with another one it would never match.
  const same = next.getTime() === cursor.issues_since?.getTime();
  await database.query(
    "update miyabi.github_repositories set issues_since = $2, issues_etag = $3, comments_behind = true, polled_at = now() where name = $1",
    [repository.key, next, same ? listed.etag : null],
  );
}

/** Everything that changed since then, the oldest change first; at first everything that carries the label. Null: nothing changed. */
async function listChanged(
  repository: HostedRepository,
  from: Date | null,
  etag: string | null,
): Promise<{ readonly issues: readonly IssueReply[]; readonly etag: string | null } | null> {
  const [owner, repo] = repository.settings.name.split("/");
  const issues: IssueReply[] = [];
  let since = from;
  let firstTag: string | null = null;
  for (let page = 1; ;) {
    const isFirst = issues.length === 0;
    const found = await repository.client.ifChanged(
      "GET /repos/{owner}/{repo}/issues",
      {
        owner,
        repo,
        // Later closed ones too, and those whose label was removed.
        ...(from === null ? { state: "open", labels: repository.settings.label } : { state: "all" }),
        ...(since === null ? {} : { since: since.toISOString() }),
        sort: "updated",
        direction: "asc",
        per_page: PAGE,
        page,
      },
      isFirst ? etag : null,
      z.array(issueReply),
    );
    if (!found.modified) return null;
    if (isFirst) firstTag = found.etag;
    issues.push(...found.data);
    const newest = found.data.at(-1)?.updated_at ?? null;
    if (found.data.length < PAGE || newest === null)
      return { issues: lastOfEach(issues), etag: issues.length < PAGE ? firstTag : null };
    // From the last one on instead of by page numbers: an issue that changes meanwhile moves to the end and shifts all pages.
    const stands = since !== null && newest.getTime() <= since.getTime();
    page = stands ? page + 1 : 1;
    if (!stands) since = newest;
  }
}

/** Pages overlap where changes have the same second. Pure. */
function lastOfEach(issues: readonly IssueReply[]): readonly IssueReply[] {
  const places = new Map(issues.map(({ number }, place) => [number, place]));
  return issues.filter(({ number }, place) => places.get(number) === place);
}

async function readCursor(database: Database, key: string): Promise<Cursor> {
  const { rows } = await database.query<Cursor>(
    "select issues_since, issues_etag from miyabi.github_repositories where name = $1",
    [key],
  );
  return rows[0] ?? { issues_since: null, issues_etag: null };
}

async function hadError(database: Database, name: string): Promise<boolean> {
  const { rowCount } = await database.query(
    "select 1 from miyabi.github_repositories where name = $1 and error is not null",
    [name.toLowerCase()],
  );
  return rowCount > 0;
}

async function noteError(database: Database, name: string, error: object | null): Promise<void> {
  await database.query(
    "update miyabi.github_repositories set error = $2, polled_at = now() where name = $1",
    [name.toLowerCase(), error === null ? null : JSON.stringify(error)],
  );
}

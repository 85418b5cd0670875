import { z } from "zod";
import type { Database } from "../../store/index.ts";
import type { IssueIntake } from "./issue-intake.ts";
import { readIssues } from "./issue-snapshot.ts";
import { issueNumberReply } from "./replies.ts";
import type { HostedRepository } from "./repositories.ts";

interface ReconcileParams {
  readonly database: Database;
  readonly intake: IssueIntake;
}

/** Notices that an issue is there no more: one that was transferred or deleted is in no list of changes. */
export interface Reconciliation {
  /** Looks where it is due. Null: it was not; false: nothing is other than when it was looked last. */
  look(repository: HostedRepository): Promise<boolean | null>;
}

/** One page of the list of open issues with the label, as it was seen last. */
interface Page {
  readonly etag: string | null;
  readonly numbers: readonly number[];
}

// Of open tasks. With the poll's default of a minute it is noticed within five.
const OPEN_TASKS = `
select i.number, i.looked_at < now() - interval '210 seconds' as unheard from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
where i.repository = $1 and t.state not in ('done', 'failed', 'cancelled')`;

const PAGE = 100;
// Beyond that the tasks are fewer than the pages, or there is more to do than to save requests.
const MAX_PAGES = 2;

export function createReconciliation({ database, intake }: Readonly<ReconcileParams>): Reconciliation {
  const known = new Map<string, readonly Page[]>();
  return {
    look: async (repository) => {
      const { rows } = await database.query<{ number: number; unheard: boolean }>(OPEN_TASKS, [
        repository.key,
      ]);
      if (!rows.some(({ unheard }) => unheard)) return null;
      const numbers = rows.map(({ number }) => number);
      const { pages, changed } = await listOpen(repository, known.get(repository.key) ?? []);
      known.set(repository.key, pages);
      const there =
        pages.length <= MAX_PAGES
          ? new Set(pages.flatMap((page) => page.numbers))
          : await stillOpen(repository, numbers);
      for (const number of numbers) if (!there.has(number)) await intake.lookAt(repository, number);
      await database.query(
        "update miyabi.github_issues set looked_at = now() where repository = $1 and number = any($2)",
        [repository.key, numbers.filter((number) => there.has(number))],
      );
      return changed;
    },
  };
}

/** The open issues with the label, page by page; a page that is as it was costs nothing. Ends after `MAX_PAGES` and one more. */
async function listOpen(
  { client, settings }: HostedRepository,
  before: readonly Page[],
): Promise<{ readonly pages: readonly Page[]; readonly changed: boolean }> {
  const [owner, repo] = settings.name.split("/");
  const pages: Page[] = [];
  let changed = false;
  for (let page = 1; page <= MAX_PAGES + 1; page += 1) {
    const last = before[page - 1];
    const found = await client.ifChanged(
      "GET /repos/{owner}/{repo}/issues",
      {
        owner,
        repo,
        state: "open",
        labels: settings.label,
        sort: "created",
        direction: "asc",
        per_page: PAGE,
        page,
      },
      last?.etag ?? null,
      z.array(issueNumberReply),
    );
    changed ||= found.modified;
    const now = found.modified
      ? { etag: found.etag, numbers: found.data.map(({ number }) => number) }
      : (last ?? { etag: null, numbers: [] });
    pages.push(now);
    if (now.numbers.length < PAGE) break;
  }
  return { pages, changed };
}

/** The same for single issues, fifty with one request. */
async function stillOpen(
  { client, settings }: HostedRepository,
  numbers: readonly number[],
): Promise<ReadonlySet<number>> {
  const found = await readIssues(client, settings.name, numbers);
  const label = settings.label.toLowerCase();
  const open = [...found.values()].filter(
    (issue) => issue.isOpen && issue.labels.some((one) => one.toLowerCase() === label),
  );
  return new Set(open.map(({ number }) => number));
}

import type { Database } from "../../store/index.ts";
import type { IssueIntake } from "./issue-intake.ts";
import { readIssues } from "./issue-snapshot.ts";
import type { HostedRepository } from "./repositories.ts";

interface ReconcileParams {
  readonly database: Database;
  readonly intake: IssueIntake;
}

// Of open tasks: an issue that was transferred or deleted is in no list of changes.
const UNHEARD_OF = `
select i.number from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
where i.repository = $1 and t.state not in ('done', 'failed', 'cancelled') and i.looked_at < now() - interval '30 minutes'
order by i.looked_at limit 50`;

/** Looks whether the issues that nothing was heard of for half an hour are still there, fifty with one request. */
export async function reconcile(
  { database, intake }: Readonly<ReconcileParams>,
  repository: HostedRepository,
): Promise<void> {
  const { key, client, settings } = repository;
  const { rows } = await database.query<{ number: number }>(UNHEARD_OF, [key]);
  if (rows.length === 0) return;
  const numbers = rows.map(({ number }) => number);
  const found = await readIssues(client, settings.name, numbers);
  const label = settings.label.toLowerCase();
  const seen: number[] = [];
  for (const number of numbers) {
    const issue = found.get(number);
    if (issue?.isOpen === true && issue.labels.some((one) => one.toLowerCase() === label)) seen.push(number);
    else await intake.lookAt(repository, number);
  }
  await database.query(
    "update miyabi.github_issues set looked_at = now() where repository = $1 and number = any($2)",
    [key, seen],
  );
}

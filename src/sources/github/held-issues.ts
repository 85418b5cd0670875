import { createLoop, toAppError, type Clock, type Log, type Loop, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { IssueIntake } from "./issue-intake.ts";
import type { Places } from "./places.ts";
import type { HostedRepositories, HostedRepository } from "./repositories.ts";

interface LookAgainParams {
  readonly database: Database;
  readonly repositories: HostedRepositories;
  readonly intake: IssueIntake;
}

interface HeldIssuesParams extends LookAgainParams {
  readonly places: Places;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

// Issues that could not start when they were looked at: what they depend on was no task yet, their text was not to be used, or a
// file of the repository was not as it has to be.
const HELD_BACK = `
select i.number from miyabi.github_issues i where i.repository = $1 and i.task_id is null and (
  (i.intake ->> 'outcome' = 'edited' and exists (select 1 from miyabi.github_comments c
    where c.repository = i.repository and c.number = i.number and c.command = 'use' and c.outcome = 'done' and c.handled_at >= i.updated_at))
  or (i.intake ->> 'outcome' = 'waits' and not exists (select 1 from jsonb_array_elements_text(i.intake -> 'on') as reference
    where not exists (select 1 from miyabi.github_issues o where o.repository || '#' || o.number = reference and o.task_id is not null)))
  or (i.intake ->> 'outcome' = 'waits' and i.updated_at < now() - interval '30 minutes')
  or (i.intake ->> 'outcome' = 'refused' and i.intake ->> 'commit' <> $2))
order by i.updated_at, i.number limit 20`;

const REFUSED = `select 1 from miyabi.github_issues
where repository = $1 and task_id is null and intake ->> 'outcome' = 'refused' and intake ? 'commit' limit 1`;

const LOOK_MS = 5_000;

/** Looks again at issues that were held back, as soon as what held them back is gone. Asks GitHub nothing before that. */
export async function lookAgain(
  { database, repositories, intake }: Readonly<LookAgainParams>,
  repository: HostedRepository,
  signal: AbortSignal,
): Promise<void> {
  const { rowCount } = await database.query(REFUSED, [repository.key]);
  const commit = rowCount === 0 ? null : await repositories.upToDate(repository);
  const { rows } = await database.query<{ number: number }>(HELD_BACK, [repository.key, commit]);
  for (const { number } of rows) {
    if (signal.aborted) return;
    await intake.lookAt(repository, number);
  }
}

/** Starts issues that waited for room, in their order, within seconds of there being some. */
export function createHeldIssues(params: Readonly<HeldIssuesParams>): Loop {
  const { database, repositories, intake, places, log } = params;
  return createLoop({
    ...params,
    name: "github-held-issues",
    intervalMs: LOOK_MS,
    tick: async (signal) => {
      for (const { repository: key, number } of await places.next(database)) {
        if (signal.aborted) return;
        try {
          const repository = await repositories.find(key);
          if (repository !== null) await intake.lookAt(repository, number);
        } catch (error) {
          const { code, message } = toAppError(error);
          log.warn({ repository: key, issue: number, code, error: message }, "issue could not be looked at");
          // It keeps its place; whatever ails GitHub ails the others too.
          return;
        }
      }
    },
  });
}

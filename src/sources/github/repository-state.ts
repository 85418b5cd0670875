import { AppError, type Clock, type Log } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import { because, type Reason, type TaskHappening, type TaskService } from "../../tasks/index.ts";
import type { CommandPorts } from "./agents-port.ts";
import { repositoryReply } from "./replies.ts";
import type { HostedRepositories, HostedRepository } from "./repositories.ts";

interface RepositoryStateParams {
  readonly database: Database;
  readonly tasks: TaskService;
  readonly repositories: HostedRepositories;
  readonly ports: Pick<CommandPorts, "endingRunOf">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What changes of a repository itself, or of our access to it, mean for its tasks; the rules stand in docs/github.md. */
export interface RepositoryState {
  /**
   * Looks whether it was renamed or archived, where that is due. `now`: in any case. Null: it was not due; false: nothing of it is other
   * than when it was looked at last.
   */
  check(repository: HostedRepository, how?: { readonly now: boolean }): Promise<boolean | null>;
  /** We have no access to it: what waits for GitHub says so. Other work goes on. */
  lost(key: string, error: AppError): Promise<void>;
  /** We have access to it again: what waited for that goes on. */
  found(key: string): Promise<void>;
}

/** Reasons of a lost access, by the error that tells of it; null: the error's own words. */
const LOST: Readonly<Record<string, string | null>> = {
  "github.unauthorized": null,
  "github.forbidden": null,
  "github.not_installed": null,
  "github.suspended": null,
  "repository.gone": "GitHub has no such repository, or does not show it to us.",
  "repository.replaced": "GitHub has another repository under this name.",
};
const ARCHIVED = "repository.archived";

const FACTS = `
select g.archived, g.github_id::text, g.checked_at, now() as now,
  (select count(*)::int from miyabi.tasks t where t.repository_id = g.repository_id and t.state not in ('done', 'failed', 'cancelled')) as open,
  exists (select 1 from miyabi.tasks t where t.repository_id = g.repository_id and t.state in ('waiting', 'delivered')
    and t.reason ->> 'code' in ('branch.refused', 'merge.refused', 'github.forbidden', 'repository.unusable')) as troubled
from miyabi.github_repositories g where g.name = $1`;

interface Facts {
  readonly archived: boolean;
  readonly github_id: string | null;
  readonly checked_at: Date | null;
  readonly now: Date;
  readonly open: number;
  readonly troubled: boolean;
}

const EVERY_MS = 10 * 60_000;
const TROUBLED_EVERY_MS = 60_000;

export function createRepositoryState(params: Readonly<RepositoryStateParams>): RepositoryState {
  const { database, tasks, log } = params;
  // Of what was carried out.
  const etags = new Map<string, string | null>();
  return {
    check: async (repository, { now } = { now: false }) => {
      const { rows } = await database.query<Facts>(FACTS, [repository.key]);
      const [known] = rows;
      if (known === undefined || !(now || isDue(known))) return null;
      const [owner, repo] = repository.settings.name.split("/");
      const looked = await repository.client.ifChanged(
        "GET /repos/{owner}/{repo}",
        { owner, repo },
        etags.get(repository.key) ?? null,
        repositoryReply,
      );
      if (!looked.modified) {
        await database.query("update miyabi.github_repositories set checked_at = now() where name = $1", [
          repository.key,
        ]);
        return false;
      }
      const facts = looked.data;
      const isAnother = known.github_id !== null && known.github_id !== String(facts.id);
      if (isAnother || facts.full_name.toLowerCase() !== repository.settings.name.toLowerCase()) {
        // Fails where it is another one: nothing is done there.
        await params.repositories.reopen(repository.key);
        log.warn(
          { repository: repository.key, name: facts.full_name },
          "the repository was renamed: change its name in miyabi.yaml",
        );
      }
      // The flag last: where we die before that, all of it is done again.
      if (facts.archived) await archived(params, repository);
      else if (known.archived) await again(params, repository.key);
      await database.query(
        "update miyabi.github_repositories set archived = $2, checked_at = now() where name = $1",
        [repository.key, facts.archived],
      );
      etags.set(repository.key, looked.etag);
      return true;
    },
    lost: async (key, error) => {
      const reason = reasonOf(key, error);
      if (reason === null) return;
      const { rows } = await database.query<{ id: string }>(
        `select t.id from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id join miyabi.steps s on s.task_id = t.id and s.name = t.current_step
         where i.repository = $1 and t.state in ('waiting', 'delivered') and s.kind in ('wait-ci', 'merge') and t.reason ->> 'code' is distinct from $2`,
        [key, reason.code],
      );
      for (const { id } of rows) await tell(tasks, id, { type: "remote-away", reason });
    },
    found: async (key) => {
      const { rows } = await database.query<{ id: string; waits_for: string | null }>(
        `select t.id, t.waits_for from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
         where i.repository = $1 and t.state in ('waiting', 'delivered') and t.reason ->> 'code' = any($2)`,
        [key, Object.keys(LOST)],
      );
      for (const { id, waits_for: waitsFor } of rows)
        await tell(
          tasks,
          id,
          waitsFor === "person" ? { type: "retry", by: "GitHub" } : { type: "remote-back" },
        );
    },
  };
}

function isDue({ archived: isArchived, checked_at: at, now, open, troubled }: Facts): boolean {
  if (open === 0 && !isArchived) return false;
  return at === null || now.getTime() - at.getTime() >= (troubled ? TROUBLED_EVERY_MS : EVERY_MS);
}

/** Null for an error that says nothing about our access, such as a server that is away. */
function reasonOf(key: string, error: AppError): Reason | null {
  const code =
    error.code === "not_found"
      ? "repository.gone"
      : error.details["replaced"] === true
        ? "repository.replaced"
        : error.code;
  const said = LOST[code];
  return said === undefined
    ? null
    : because(
        code,
        `${said ?? error.message} Work that needs no GitHub goes on.`,
        { repository: key },
        error.fix ?? "miyabi doctor",
      );
}

/** Nothing can be pushed any more: all open tasks stop. */
async function archived(
  { database, tasks, ports }: Readonly<RepositoryStateParams>,
  { key, repositoryId, settings }: HostedRepository,
): Promise<void> {
  const { rows } = await database.query<{ id: string }>(
    "select id from miyabi.tasks where repository_id = $1 and source = 'github' and state not in ('done', 'failed', 'cancelled')",
    [repositoryId],
  );
  for (const { id } of rows) {
    const why = because(
      "repository.archived",
      `${settings.name} was archived. What was done is kept; it goes on when the repository is opened again.`,
      { repository: key },
      `miyabi task explain ${id}`,
    );
    await ports.endingRunOf(id, () => tell(tasks, id, { type: "cancel", by: "GitHub", note: "", why }));
  }
}

async function again({ database, tasks }: Readonly<RepositoryStateParams>, key: string): Promise<void> {
  const { rows } = await database.query<{ id: string }>(
    `select t.id from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
     where i.repository = $1 and t.state = 'cancelled' and t.reason ->> 'code' = $2 order by t.number`,
    [key, ARCHIVED],
  );
  for (const { id } of rows) await tell(tasks, id, { type: "retry", by: "GitHub" });
}

/** Where a task has moved on at this moment, the next round sees where to. */
async function tell(tasks: TaskService, taskId: string, happening: TaskHappening): Promise<void> {
  try {
    await tasks.happen(taskId, happening);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "conflict.state") throw error;
  }
}

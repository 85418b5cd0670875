import { AppError } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { TaskService } from "../../tasks/index.ts";
import type { HostedRepositories } from "./repositories.ts";
import type { Trust } from "./trust.ts";

interface StartGateParams {
  readonly database: Database;
  readonly tasks: TaskService;
  readonly repositories: HostedRepositories;
  readonly trust: Trust;
}

/**
 * Asked before each run: whether the person who started the task may still do so when it begins. True for tasks that have begun and
 * for those of elsewhere. Where they may not, the task is cancelled with the reason.
 * @throws github.unavailable and the like where it cannot be asked; the run does not start then.
 */
export function createStartGate(params: Readonly<StartGateParams>): (taskId: string) => Promise<boolean> {
  return async (taskId) => {
    const { rows } = await params.database.query<{ repository: string; by: string | null }>(
      `select i.repository, i.intake ->> 'by' as by from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
       where t.id = $1 and t.base_commit is null`,
      [taskId],
    );
    const row = rows[0];
    if (row === undefined) return true;
    const repository = await params.repositories.find(row.repository);
    if (
      repository !== null &&
      (await params.trust.isTrusted(repository.client, repository.settings, row.by))
    ) {
      // It begins at the branch as it is now; a push may not have been told of.
      await params.repositories.upToDate(repository);
      return true;
    }
    const note =
      repository === null
        ? `${row.repository} is no longer configured`
        : `${row.by ?? "who started it"} may not start work any more`;
    try {
      await params.tasks.happen(taskId, { type: "cancel", by: "GitHub", note });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "conflict.state") throw error;
    }
    return false;
  };
}

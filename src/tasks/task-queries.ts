import type { Explanation, RepositoryView, RunView, TaskDetail } from "../contract/index.ts";
import type { Database } from "../store/index.ts";
import { explain } from "./explain.ts";
import { readExplainFacts, type TeamFacts } from "./explain-facts.ts";
import { readOverview, type Overview, type OverviewParams } from "./overview.ts";
import { readRun, readTask } from "./task-detail.ts";
import { listTasks, type TaskFilter, type TaskPage } from "./task-list.ts";
import type { Costs } from "./view-rows.ts";

export interface TaskQueriesParams {
  readonly database: Database;
  readonly costs: Costs;
  readonly team: TeamFacts;
}

/** Everything that is read of tasks. Changes nothing and locks nothing. */
export interface TaskQueries {
  /** @throws input.invalid for a cursor that is none. */
  list(filter: Readonly<TaskFilter>): Promise<TaskPage>;
  /** @throws not_found */
  detail(taskId: string): Promise<TaskDetail>;
  /** @throws not_found */
  run(runId: string): Promise<RunView>;
  /** @throws not_found */
  explain(taskId: string, now: Date): Promise<Explanation>;
  overview(params: Readonly<OverviewParams>): Promise<Overview>;
  /** By name. */
  repositories(): Promise<RepositoryView[]>;
}

export function createTaskQueries(params: Readonly<TaskQueriesParams>): TaskQueries {
  const { database, costs, team } = params;
  return {
    list: (filter) => listTasks(database, costs, filter),
    detail: (taskId) => readTask(database, costs, taskId),
    run: (runId) => readRun(database, costs, runId),
    explain: async (taskId, now) => explain(await readExplainFacts(database, team, { taskId, now })),
    overview: (overview) => readOverview(database, costs, overview),
    repositories: async () => {
      const { rows } = await database.query<{
        id: string;
        name: string;
        path: string;
        target_branch: string;
        added_at: Date;
        open_tasks: number;
      }>(
        `select p.id, p.name, p.path, p.target_branch, p.added_at, coalesce(o.count, 0)::int as open_tasks
         from miyabi.repositories p left join (
           select repository_id, count(*) as count from miyabi.tasks
           where state not in ('done', 'failed', 'cancelled') group by 1) o on o.repository_id = p.id
         order by p.name, p.id`,
      );
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        path: row.path,
        targetBranch: row.target_branch,
        openTasks: row.open_tasks,
        addedAt: row.added_at.toISOString(),
      }));
    },
  };
}

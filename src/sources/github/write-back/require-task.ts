import { AppError } from "../../../base/index.ts";
import type { Database } from "../../../store/index.ts";
import type { OutboxEntry } from "../../../tasks/index.ts";
import { readHostedTask, type HostedTask } from "../hosted-task.ts";
import type { HostedRepositories, HostedRepository } from "../repositories.ts";

/** The task of an entry with its repository. @throws not_found where either is gone; the entry then ends. */
export async function requireTask(
  params: Readonly<{ database: Database; repositories: HostedRepositories }>,
  entry: OutboxEntry,
): Promise<{ readonly task: HostedTask; readonly repository: HostedRepository }> {
  const task = await readHostedTask(params.database, entry.taskId ?? "");
  if (task === null)
    throw new AppError({ code: "not_found", message: `${entry.taskId ?? "The task"} belongs to no issue.` });
  const repository = await params.repositories.find(task.issue.repository);
  if (repository === null)
    throw new AppError({
      code: "not_found",
      message: `${task.issue.repository} is no longer configured.`,
      fix: "Add it to github.repositories in miyabi.yaml.",
    });
  return { task, repository };
}

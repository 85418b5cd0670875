import { AppError } from "../../../base/index.ts";
import type { Tx } from "../../../store/index.ts";
import type { TaskHappening, TaskService } from "../../../tasks/index.ts";

/** Tells a task what came of an effect. Where it has moved on meanwhile, what we say is of no interest any more. */
export async function tellTask(
  tasks: TaskService,
  tx: Tx,
  taskId: string,
  happening: TaskHappening,
): Promise<boolean> {
  try {
    return await tasks.happenIn(tx, taskId, () => happening);
  } catch (error) {
    // The decision is refused before anything is written, so the transaction is as it was.
    if (error instanceof AppError && error.code === "conflict.state") return false;
    throw error;
  }
}

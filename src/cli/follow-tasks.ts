import { AppError, type Clock } from "../base/index.ts";
import type { TaskSummary } from "../contract/index.ts";
import type { Client } from "./client.ts";
import { oneLine } from "./table.ts";

interface FollowParams {
  /** Finds the control plane, which may have been restarted meanwhile. @throws daemon.not_running */
  readonly find: () => Promise<Client>;
  readonly taskIds: readonly string[];
  /** Told each change of a task, one line each. */
  readonly note: (text: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const POLL_MS = 500;
/** A control plane that is killed is back within 5 s; one that stays away this long will not come back. */
const AWAY_LIMIT_MS = 60_000;
/** Blocked tasks with nothing left to move them: a change that is on its way shows within this time. */
const STUCK_MS = 5_000;
const FINAL: ReadonlySet<string> = new Set(["done", "failed", "cancelled"]);

/**
 * Follows tasks until all have ended, or until those that have not are blocked behind failed ones for good.
 * Resolves with the tasks in the order of `taskIds`; null where `signal` aborted first.
 * @throws what the API answered, where it does not answer again within 60 s.
 */
export async function followTasks(params: Readonly<FollowParams>): Promise<TaskSummary[] | null> {
  const { clock, signal } = params;
  const told = new Map<string, string>();
  let answeredAt = clock.monotonicMs();
  let movingAt = clock.monotonicMs();
  for (;;) {
    try {
      const client = await params.find();
      const tasks = await Promise.all(params.taskIds.map((id) => client.call("getTask", { params: { id } })));
      answeredAt = clock.monotonicMs();
      for (const task of tasks) tell(task, told, params.note);
      if (tasks.every((task) => FINAL.has(task.state))) return tasks;
      const isMoving = tasks.some((task) => !FINAL.has(task.state) && task.state !== "blocked");
      if (isMoving) movingAt = answeredAt;
      else if (answeredAt - movingAt > STUCK_MS) return tasks;
    } catch (error) {
      const isPassing = error instanceof AppError && error.retryable;
      if (!isPassing || clock.monotonicMs() - answeredAt > AWAY_LIMIT_MS) throw error;
    }
    await clock.sleep(POLL_MS, signal).catch(() => {});
    if (signal.aborted) return null;
  }
}

function tell(task: TaskSummary, told: Map<string, string>, note: (text: string) => void): void {
  const parts = [
    task.state,
    ...(task.step === null || FINAL.has(task.state) ? [] : [task.step]),
    ...(task.slot === null ? [] : [task.slot]),
  ];
  const line = parts.join(" · ");
  if (told.get(task.id) === line) return;
  told.set(task.id, line);
  note(`${task.id.padEnd(4)} ${line.padEnd(30)} ${oneLine(task.title)}`);
  const needsPerson = task.state === "failed" || task.waitsFor === "person" || task.waitsFor === "approval";
  if (needsPerson && task.reason !== null)
    note(
      `     ${oneLine(task.reason.message)}${task.reason.fix === null ? "" : `  → ${oneLine(task.reason.fix)}`}`,
    );
}

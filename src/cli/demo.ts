import { AppError, messageOf, systemClock } from "../base/index.ts";
import type { TaskSummary } from "../contract/index.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { installAgent } from "./agent-packages.ts";
import { endRunning, findRunning, startDetached } from "./detached.ts";
import { followTasks } from "./follow-tasks.ts";
import { stateText, table } from "./table.ts";

export interface DemoFlags {
  readonly exit?: true;
  readonly agent?: string;
  readonly port?: number;
}

const INTERRUPTED_EXIT_CODE = 130;

/**
 * The sample run: starts the product where it does not run, adds a fresh sample project and follows it.
 * With `exit` it ends when the tasks have, shuts down what it started (also when interrupted), and is 0 only if every
 * task is done; without, it ends at once and the product goes on.
 */
export async function runDemo(context: CommandContext, flags: DemoFlags): Promise<number> {
  const { env, output } = context;
  if (flags.agent !== undefined) await installAgent({ env, note: output.note, name: flags.agent });
  const running = await findRunning(env);
  const client =
    running ??
    (
      await startDetached(
        env,
        { demo: false, ...(flags.port === undefined ? {} : { port: flags.port }) },
        output.note,
      )
    ).client;
  if (flags.exit !== true) return begin(context, client, flags).then(() => 0);

  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupt);
  try {
    return await carry(context, client, flags, interrupted.signal);
  } finally {
    if (running === null) await endRunning(env).catch((error: unknown) => output.note(messageOf(error)));
  }
}

async function begin({ output }: CommandContext, client: Client, flags: DemoFlags): Promise<void> {
  const demo = await client.call("startDemo", { body: bodyOf(flags) });
  output.result(
    { repository: demo.repositoryPath, tasks: demo.taskIds.map((id) => ({ id })) },
    [
      `${demo.taskIds.length} issues of a sample project in ${demo.repositoryPath}`,
      "",
      `  Console      ${client.url.replace("127.0.0.1", "localhost")}   (miyabi login signs your browser in)`,
      "  Agents       miyabi attach kaede",
      "  Progress     miyabi task list",
      "  Stop         miyabi shutdown",
    ].join("\n"),
  );
}

async function carry(
  { env, output }: CommandContext,
  client: Client,
  flags: DemoFlags,
  signal: AbortSignal,
): Promise<number> {
  const demo = await client.call("startDemo", { body: bodyOf(flags) });
  output.note(`${demo.taskIds.length} issues of a sample project in ${demo.repositoryPath}`);
  const tasks = await followTasks({
    find: async () => (await findRunning(env)) ?? notAnswering(),
    taskIds: demo.taskIds,
    note: output.note,
    clock: systemClock,
    signal,
  });
  if (tasks === null) return INTERRUPTED_EXIT_CODE;
  output.result({ repository: demo.repositoryPath, tasks: tasks.map(resultOf) }, tableOf(tasks));
  return tasks.every((task) => task.state === "done") ? 0 : 1;
}

const bodyOf = (flags: DemoFlags): { profile?: string } =>
  flags.agent === undefined ? {} : { profile: flags.agent };

function notAnswering(): never {
  throw new AppError({ code: "daemon.not_running", message: "miyabi stopped before the tasks were done." });
}

function resultOf(task: TaskSummary) {
  const { id, title, state, attempts, rounds, branch, mergeCommit, costMicros, reason } = task;
  const { startedAt, finishedAt } = task;
  return {
    id,
    title,
    state,
    attempts,
    rounds,
    branch,
    mergeCommit,
    costMicros,
    reason,
    startedAt,
    finishedAt,
  };
}

function tableOf(tasks: readonly TaskSummary[]): string {
  return table([
    ["task", "state", "attempts", "rounds", "commit", "title"],
    ...tasks.map((task) => [
      task.id,
      stateText(task.state),
      String(task.attempts),
      String(task.rounds),
      task.mergeCommit?.slice(0, 9) ?? "—",
      task.title,
    ]),
  ]);
}

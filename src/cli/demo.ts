import { systemClock } from "../base/index.ts";
import type { TaskSummary } from "../contract/index.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { stateText, table } from "./output.ts";
import { shutDown } from "./lifecycle.ts";

interface DemoFlags {
  readonly exit?: true;
  readonly agent?: string;
}

const POLL_MS = 500;
const FINAL = new Set(["done", "failed", "cancelled"]);

/** The sample run: starts the product where it does not run, adds a fresh sample project, and follows it. */
export async function runDemo(
  { output, client: find }: CommandContext,
  flags: DemoFlags,
  start: (note: (text: string) => void) => Promise<number>,
): Promise<number> {
  const running = await find()
    .then(async (client) => {
      await client.call("health");
      return client;
    })
    .catch(() => null);
  if (running === null) {
    const code = await start(output.note);
    if (code !== 0) return code;
  }
  const client = running ?? (await find());
  const demo = await client.call("startDemo", {
    body: flags.agent === undefined ? {} : { profile: flags.agent },
  });
  output.note(`${demo.taskIds.length} issues of a sample project: ${demo.repositoryPath}`);
  if (flags.exit !== true) {
    output.result(
      { repository: demo.repositoryPath, tasks: demo.taskIds.map((id) => ({ id })) },
      `Watch: ${client.url.replace("127.0.0.1", "localhost")}   (miyabi login, miyabi attach kaede, miyabi task list)`,
    );
    return 0;
  }
  const tasks = await follow(client, demo.taskIds, output.note);
  if (running === null) await shutDown(client);
  const rows = tasks.map(
    ({ id, title, state, attempts, rounds, branch, mergeCommit, costMicros, startedAt, finishedAt }) => ({
      id,
      title,
      state,
      attempts,
      rounds,
      branch,
      mergeCommit,
      costMicros,
      startedAt,
      finishedAt,
    }),
  );
  output.result(
    { repository: demo.repositoryPath, tasks: rows },
    table([
      ["task", "state", "attempts", "rounds", "commit", "title"],
      ...tasks.map((task) => [
        task.id,
        stateText(task.state),
        String(task.attempts),
        String(task.rounds),
        task.mergeCommit?.slice(0, 9) ?? "—",
        task.title,
      ]),
    ]),
  );
  return tasks.every((task) => task.state === "done") ? 0 : 1;
}

/** Tells every change of the tasks until all have ended. A control plane that restarts meanwhile is waited for. */
async function follow(
  client: Client,
  ids: readonly string[],
  note: (text: string) => void,
): Promise<TaskSummary[]> {
  const told = new Map<string, string>();
  for (;;) {
    const tasks = await Promise.all(ids.map((id) => client.call("getTask", { params: { id } }))).catch(
      () => null,
    );
    for (const task of tasks ?? []) {
      const line = `${task.state}${task.step === null || FINAL.has(task.state) ? "" : ` · ${task.step}`}${task.slot === null ? "" : ` · ${task.slot}`}`;
      if (told.get(task.id) !== line) note(`${task.id.padEnd(4)} ${line.padEnd(32)} ${task.title}`);
      told.set(task.id, line);
    }
    if (tasks?.every((task) => FINAL.has(task.state)) === true) return tasks;
    await systemClock.sleep(POLL_MS);
  }
}

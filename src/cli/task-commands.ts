import { readFile } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import { Option, type Command } from "commander";
import { z } from "zod";
import { AppError, quoteForShell } from "../base/index.ts";
import {
  instant,
  newTask,
  runId,
  TASK_CLASSES,
  taskClass,
  taskId,
  taskState,
  type TaskDetail,
} from "../contract/index.ts";
import { declare } from "./catalog.ts";
import type { Client } from "./client.ts";
import { action, integer, listOf, valueOf, type CommandContext } from "./context.ts";
import { oneLine, stateText, table } from "./table.ts";
import { diffText, explanationText, taskText } from "./task-text.ts";

type Class = z.infer<typeof taskClass>;

interface AddFlags {
  readonly repo: string;
  readonly title: string;
  readonly body?: string;
  readonly bodyFile?: string;
  readonly label?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly class?: Class;
  readonly due?: string;
  readonly branch?: string;
  readonly agent?: string;
  readonly key?: string;
}

const idOf = valueOf(taskId);
const classOption = (flags: string, text: string): Option =>
  new Option(flags, text).choices([...TASK_CLASSES]);

export function addTaskCommands(program: Command): void {
  const task = declare(program, "task");
  addAdd(task);
  addList(task);
  addReading(task);
  addSteering(task);
}

function addAdd(task: Command): void {
  task
    .command("add")
    .description("add a task for a local git repository")
    .requiredOption("--repo <path>", "the repository", valueOf(newTask.shape.repositoryPath))
    .requiredOption("--title <text>", "what is wanted, in a line", valueOf(newTask.shape.title))
    .option("--body <text>", "what is wanted, in full")
    .addOption(
      new Option("--body-file <file>", "the same from a file, or - for standard input").conflicts("body"),
    )
    .option("--label <names>", "labels, comma-separated or repeated", listOf(z.string().max(100)))
    .option("--depends-on <ids>", "tasks that must be merged first, e.g. T1,T2", listOf(taskId))
    .addOption(classOption("--class <class>", "urgency; decides the deadline"))
    .option("--due <instant>", "due date, e.g. 2026-12-01T09:00:00+09:00", valueOf(instant))
    .option("--branch <name>", "target branch instead of the checked-out one")
    .option("--agent <profile>", "agent profile, e.g. claude")
    .option("--key <text>", "idempotency key: the same key never adds a second task")
    .action(action(addTask));
}

async function addTask({ client, output }: CommandContext, flags: AddFlags): Promise<void> {
  const body = flags.bodyFile === undefined ? (flags.body ?? "") : await readBody(flags.bodyFile);
  const api = await client();
  const added = await api.call("createTask", {
    ...(flags.key === undefined ? {} : { idempotencyKey: flags.key }),
    body: {
      repositoryPath: path.resolve(flags.repo),
      title: flags.title,
      body,
      labels: [...(flags.label ?? [])],
      dependsOn: [...(flags.dependsOn ?? [])],
      ...(flags.class === undefined ? {} : { class: flags.class }),
      ...(flags.due === undefined ? {} : { dueAt: flags.due }),
      ...(flags.branch === undefined ? {} : { targetBranch: flags.branch }),
      ...(flags.agent === undefined ? {} : { profile: flags.agent }),
    },
  });
  output.result(added, `${added.id}  ${stateText(added.state)}  ${oneLine(added.title)}`);
  if (!output.json) output.note(`Next: miyabi task explain ${added.id}`);
}

interface ListFlags {
  readonly state?: readonly string[];
  readonly class?: readonly string[];
  readonly q?: string;
  readonly limit: number;
}

function addList(task: Command): void {
  task
    .command("list")
    .description("tasks, newest first")
    .option("--state <states>", `only these: ${taskState.options.join(", ")}`, listOf(taskState))
    .option("--class <classes>", "only these classes", listOf(taskClass))
    .option("--q <text>", "part of the title, or an id")
    .option("--limit <number>", "at most this many", integer(1, 200), 50)
    .action(action(listTasks));
}

async function listTasks({ client, output }: CommandContext, flags: ListFlags): Promise<void> {
  const page = await (
    await client()
  ).call("listTasks", {
    query: {
      limit: flags.limit,
      ...(flags.state === undefined ? {} : { state: flags.state.join(",") }),
      ...(flags.class === undefined ? {} : { class: flags.class.join(",") }),
      ...(flags.q === undefined ? {} : { q: flags.q }),
    },
  });
  const isFiltered = flags.state !== undefined || flags.class !== undefined || flags.q !== undefined;
  const nothing = isFiltered
    ? "No task matches."
    : `No tasks. Add one: miyabi task add --repo ${quoteForShell(process.cwd())} --title "…"`;
  const rows = page.items.map((one) => [
    one.id,
    stateText(one.state),
    one.step ?? "—",
    one.slot ?? "—",
    one.class,
    oneLine(one.title),
  ]);
  const rest = page.total - page.items.length;
  output.result(
    page,
    rows.length === 0
      ? nothing
      : [
          table([["task", "state", "step", "agent", "class", "title"], ...rows]),
          ...(rest > 0 && page.nextCursor !== null ? [`… and ${rest} more (--limit, --q, --state)`] : []),
        ].join("\n"),
  );
}

function addReading(task: Command): void {
  task
    .command("show")
    .argument("<id>", "task, e.g. T12", idOf)
    .description("one task with its steps and runs")
    .action(
      action(async ({ client, output }, id: string) => {
        const found = await (await client()).call("getTask", { params: { id } });
        output.result(found, taskText(found));
      }),
    );
  task
    .command("explain")
    .argument("<id>", "task, e.g. T12", idOf)
    .description("why it is where it is, and what would move it")
    .action(
      action(async ({ client, output }, id: string) => {
        const found = await (await client()).call("explainTask", { params: { id } });
        output.result(found, explanationText(found));
      }),
    );
  task
    .command("diff")
    .argument("<id>", "task, e.g. T12", idOf)
    .option("--run <id>", "of one run's commit only", valueOf(runId))
    .description("the task's changes")
    .action(
      action(async ({ client, output }, id: string, flags: { readonly run?: string }) => {
        const found = await (await client()).call("taskDiff", { params: { id }, query: { ...flags } });
        output.result(found, diffText(found));
      }),
    );
}

type Change<Flags extends unknown[]> = (api: Client, id: string, ...flags: Flags) => Promise<TaskDetail>;

/** A command that changes one task and shows it then. */
function changing<Flags extends unknown[]>(change: Change<Flags>) {
  return action(async ({ client, output }: CommandContext, id: string, ...flags: Flags) => {
    const changed = await change(await client(), id, ...flags);
    const why = oneLine(changed.reason?.message ?? changed.title);
    output.result(changed, `${changed.id}  ${stateText(changed.state)}  ${why}`);
  });
}

function addSteering(task: Command): void {
  const on = (name: string, description: string): Command =>
    task.command(name).argument("<id>", "task, e.g. T12", idOf).description(description);
  on("cancel", "end the task; its work stays on its branch")
    .option("--reason <text>", "why")
    .action(
      changing((api, id, flags: { readonly reason?: string }) =>
        api.call("cancelTask", { params: { id }, body: { ...flags } }),
      ),
    );
  on("retry", "start a failed, cancelled or waiting task again where it stopped").action(
    changing((api, id) => api.call("retryTask", { params: { id } })),
  );
  on("approve", "answer the approval that it waits for")
    .option("--reject", "refuse instead")
    .option("--note <text>", "what the agent should know")
    .action(
      changing((api, id, { reject, note }: { readonly reject?: true; readonly note?: string }) =>
        api.call("approveTask", {
          params: { id },
          body: { approve: reject !== true, ...(note === undefined ? {} : { note }) },
        }),
      ),
    );
  on("depend", "replace what a task that has not started depends on")
    .requiredOption("--on <ids>", "tasks, e.g. T1,T2; an empty text for none", listOf(taskId))
    .action(
      changing((api, id, flags: { readonly on: readonly string[] }) =>
        api.call("setTaskDependencies", { params: { id }, body: { dependsOn: [...flags.on] } }),
      ),
    );
  on("priority", "change the urgency class and with it the deadline")
    .addArgument(task.createArgument("<class>", "urgency").choices([...TASK_CLASSES]))
    .option("--due <instant>", "a due date of its own", valueOf(instant))
    .action(
      changing((api, id, urgency: Class, { due }: { readonly due?: string }) =>
        api.call("setTaskClass", {
          params: { id },
          body: { class: urgency, ...(due === undefined ? {} : { dueAt: due }) },
        }),
      ),
    );
}

async function readBody(file: string): Promise<string> {
  if (file === "-") return readAll(process.stdin);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new AppError({
      code: "usage.invalid",
      message: `--body-file: ${file} cannot be read.`,
      fix: "Name a readable file, or - for standard input.",
      cause: error,
    });
  });
}

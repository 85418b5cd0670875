import { readFile } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { AppError } from "../base/index.ts";
import type { TaskDetail } from "../contract/index.ts";
import { action } from "./context.ts";
import { stateText, table } from "./output.ts";

const list = (value: string, before: string[] = []): string[] => [
  ...before,
  ...value.split(",").filter((part) => part !== ""),
];

interface AddFlags {
  readonly repo: string;
  readonly title: string;
  readonly body?: string;
  readonly bodyFile?: string;
  readonly label?: string[];
  readonly dependsOn?: string[];
  readonly class?: "P0" | "P1" | "P2";
  readonly due?: string;
  readonly branch?: string;
  readonly agent?: string;
  readonly key?: string;
}

export function addTaskCommands(program: Command): void {
  const task = program.command("task").description("add, look at and steer tasks");
  task
    .command("add")
    .description("add a task for a local git repository")
    .requiredOption("--repo <path>", "the repository")
    .requiredOption("--title <text>", "what is wanted, in a line")
    .option("--body <text>", "what is wanted, in full")
    .option("--body-file <file>", "the same from a file, or - for standard input")
    .option("--label <names>", "labels, comma-separated or repeated", list)
    .option("--depends-on <ids>", "tasks that must be merged first", list)
    .option("--class <class>", "P0, P1 or P2")
    .option("--due <instant>", "due date, e.g. 2026-12-01T09:00:00+09:00")
    .option("--branch <name>", "target branch instead of the checked-out one")
    .option("--agent <profile>", "agent profile, e.g. claude")
    .option("--key <text>", "idempotency key: the same key never adds a second task")
    .action(
      action(async ({ client, output }, flags: AddFlags) => {
        const api = await client();
        const added = await api.call("createTask", {
          ...(flags.key === undefined ? {} : { idempotencyKey: flags.key }),
          body: {
            repositoryPath: path.resolve(flags.repo),
            title: flags.title,
            body: flags.bodyFile === undefined ? (flags.body ?? "") : await bodyOf(flags.bodyFile),
            labels: flags.label ?? [],
            dependsOn: flags.dependsOn ?? [],
            ...(flags.class === undefined ? {} : { class: flags.class }),
            ...(flags.due === undefined ? {} : { dueAt: flags.due }),
            ...(flags.branch === undefined ? {} : { targetBranch: flags.branch }),
            ...(flags.agent === undefined ? {} : { profile: flags.agent }),
          },
        });
        output.result(added, `${added.id}  ${stateText(added.state)}  ${added.title}`);
        output.note(`Next: miyabi task explain ${added.id}`);
      }),
    );
  task
    .command("list")
    .description("tasks, newest first")
    .option("--state <states>", "only these states, comma-separated")
    .option("--class <classes>", "only these classes")
    .option("--q <text>", "part of the title, or an id")
    .option("--limit <number>", "at most this many", "50")
    .action(
      action(
        async ({ client, output }, flags: { state?: string; class?: string; q?: string; limit: string }) => {
          const page = await (await client()).call("listTasks", { query: { ...flags } as never });
          const rows = page.items.map((one) => [
            one.id,
            stateText(one.state),
            one.step ?? "—",
            one.slot ?? "—",
            one.class,
            one.title,
          ]);
          output.result(
            page,
            rows.length === 0
              ? 'No tasks. Add one: miyabi task add --repo PATH --title "…"'
              : table([["task", "state", "step", "agent", "class", "title"], ...rows]),
          );
        },
      ),
    );
  task
    .command("show <id>")
    .description("one task with its steps and runs")
    .action(
      action(async ({ client, output }, id: string) => {
        const found = await (await client()).call("getTask", { params: { id } });
        output.result(found, renderTask(found));
      }),
    );
  task
    .command("explain <id>")
    .description("why it is where it is, and what would move it")
    .action(
      action(async ({ client, output }, id: string) => {
        const found = await (await client()).call("explainTask", { params: { id } });
        const reasons = found.reasons.map(
          (reason) => `  • ${reason.message}${reason.fix === null ? "" : `\n    ${reason.fix}`}`,
        );
        output.result(
          found,
          [
            `${found.taskId}  ${stateText(found.state)}  ${found.summary}`,
            ...reasons,
            ...found.next.map((next) => `  → ${next}`),
          ].join("\n"),
        );
      }),
    );
  task
    .command("diff <id>")
    .description("the task's changes")
    .action(
      action(async ({ client, output }, id: string) => {
        const found = await (await client()).call("taskDiff", { params: { id } });
        output.result(found, found.patch === "" ? "No changes yet." : found.patch);
      }),
    );
  const steer = (name: string, description: string, work: Parameters<typeof changeTask>[0]) =>
    task
      .command(`${name} <id>`)
      .description(description)
      .option("--note <text>", "what to tell")
      .option("--reject", "approve only: refuse")
      .action(action(changeTask(work)));
  steer("cancel", "end the task; its work stays on its branch", (api, id, flags) =>
    api.call("cancelTask", { params: { id }, body: flags.note === undefined ? {} : { reason: flags.note } }),
  );
  steer("retry", "start it again where it stopped", (api, id) => api.call("retryTask", { params: { id } }));
  steer("approve", "answer the approval that it waits for", (api, id, flags) =>
    api.call("approveTask", {
      params: { id },
      body: { approve: flags.reject !== true, ...(flags.note === undefined ? {} : { note: flags.note }) },
    }),
  );
  task
    .command("depend <id>")
    .description("replace what a task that has not started depends on")
    .requiredOption("--on <ids>", "task ids", list)
    .action(
      action(async (context, id: string, flags: { on: string[] }) =>
        changeTask((api) =>
          api.call("setTaskDependencies", { params: { id }, body: { dependsOn: flags.on } }),
        )(context, id, {}),
      ),
    );
  task
    .command("priority <id> <class>")
    .description("change the urgency class and with it the deadline")
    .action(
      action(async (context, id: string, taskClass: string) =>
        changeTask((api) => api.call("setTaskClass", { params: { id }, body: { class: taskClass as "P0" } }))(
          context,
          id,
          {},
        ),
      ),
    );
}

type Context = Parameters<Parameters<typeof action>[0]>[0];
type Api = Awaited<ReturnType<Context["client"]>>;
interface SteerFlags {
  readonly note?: string;
  readonly reject?: true;
}

function changeTask(work: (api: Api, id: string, flags: SteerFlags) => Promise<TaskDetail>) {
  return async ({ client, output }: Context, id: string, flags: SteerFlags): Promise<void> => {
    const changed = await work(await client(), id, flags);
    output.result(
      changed,
      `${changed.id}  ${stateText(changed.state)}  ${changed.reason?.message ?? changed.title}`,
    );
  };
}

async function bodyOf(file: string): Promise<string> {
  if (file === "-") return readAll(process.stdin);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new AppError({
      code: "input.invalid",
      message: `--body-file: ${file} cannot be read.`,
      fix: "Name a readable file, or - for standard input.",
      cause: error,
    });
  });
}

function renderTask(one: TaskDetail): string {
  const facts = [
    ["repository", `${one.repositoryName} → ${one.targetBranch}`],
    ["deadline", `${one.deadlineAt} (${one.class})`],
    ["branch", one.branch ?? "—"],
    ...(one.mergeCommit === null ? [] : [["merged as", one.mergeCommit]]),
    ...(one.dependsOn.length === 0
      ? []
      : [["depends on", one.dependsOn.map((link) => `${link.id} (${link.state})`).join(", ")]]),
  ];
  const runs = one.runs.map((run) => [
    `#${run.attempt}`,
    run.step,
    run.slot ?? "—",
    run.cached ? "cached" : run.state,
    run.verdict ?? "",
    (run.error?.message ?? run.notes ?? "").split("\n")[0] ?? "",
  ]);
  return [
    `${one.id}  ${stateText(one.state)}  ${one.title}`,
    ...(one.reason === null ? [] : [`  ${one.reason.message}`]),
    "",
    table(facts),
    "",
    table([["run", "step", "agent", "state", "verdict", "notes"], ...runs]),
  ].join("\n");
}

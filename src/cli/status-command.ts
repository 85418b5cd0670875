import type { Command } from "commander";
import { quoteForShell } from "../base/index.ts";
import type { StatusView } from "../contract/index.ts";
import { declare } from "./catalog.ts";
import { action } from "./context.ts";
import { colored, localTime, oneLine, stateText, table } from "./table.ts";

const UNAVAILABLE_EXIT_CODE = 69;

export function addStatusCommand(program: Command): void {
  declare(program, "status").action(
    action(async ({ client, output }) => {
      const status = await (await client()).call("status");
      output.result(status, statusText(status));
      return status.health.some((part) => part.state === "down") ? UNAVAILABLE_EXIT_CODE : 0;
    }),
  );
}

/** What runs, what waits for whom, what is next and how the parts are. */
export function statusText(status: StatusView): string {
  return [
    countsLine(status),
    ...(status.breach === null
      ? []
      : [
          colored(
            "yellow",
            `${status.breach.taskId} will miss its deadline of ${localTime(status.breach.deadlineAt)} at this pace.`,
          ),
        ]),
    ...section("Needs you", needsYou(status)),
    ...section(
      "Running",
      table(
        status.running.map((task) => [
          task.id,
          stateText(task.state),
          task.step ?? "—",
          task.slot ?? "—",
          oneLine(task.title),
        ]),
      ),
    ),
    ...section(
      "Next",
      table(status.next.map((task) => [task.id, oneLine(task.title), oneLine(task.orderReason.message)])),
    ),
    ...section("Health", health(status)),
  ].join("\n");
}

function countsLine(status: StatusView): string {
  const counts = Object.entries(status.counts).filter(([, count]) => count > 0);
  if (counts.length === 0)
    return `No tasks. Add one: miyabi task add --repo ${quoteForShell(process.cwd())} --title "…"`;
  const cost =
    status.today.costMicros === null ? "" : `, ${(status.today.costMicros / 1_000_000).toFixed(2)} USD`;
  return `${counts.map(([state, count]) => `${count} ${state}`).join(", ")}   (today: ${status.today.merged} merged, ${status.today.failed} failed${cost})`;
}

function needsYou(status: StatusView): string {
  return [
    ...status.needsYou.questions.flatMap((question) => [
      `${question.id}  ${oneLine(question.asker)} asks: ${oneLine(question.text)}`,
      `    miyabi ask answer ${question.id} "…"`,
    ]),
    ...status.needsYou.tasks.flatMap((task) => [
      `${task.id}  ${stateText(task.state)}  ${oneLine(task.reason?.message ?? task.title)}`,
      `    ${task.reason?.fix ?? `miyabi task explain ${task.id}`}`,
    ]),
  ].join("\n");
}

function health(status: StatusView): string {
  return table(
    status.health.map((part) => [
      part.state === "ok"
        ? colored("green", "ok")
        : colored(part.state === "down" ? "red" : "yellow", part.state),
      part.name,
      `${oneLine(part.detail)}${part.fix === null || part.state === "ok" ? "" : `  → ${oneLine(part.fix)}`}`,
    ]),
  );
}

function section(title: string, text: string): string[] {
  return text === "" ? [] : ["", colored("bold", title), ...text.split("\n").map((line) => `  ${line}`)];
}

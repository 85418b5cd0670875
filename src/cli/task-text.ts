import type { Explanation, TaskDetail, TaskDiff } from "../contract/index.ts";
import { colored, localTime, oneLine, plain, stateText, table } from "./table.ts";

/** A task for people: facts, then its runs, then its report. */
export function taskText(one: TaskDetail): string {
  const facts = [
    ["repository", `${oneLine(one.repositoryName)} → ${oneLine(one.targetBranch)}`],
    ["deadline", `${localTime(one.deadlineAt)} (${one.class})`],
    ["branch", one.branch ?? "—"],
    ...(one.labels.length === 0 ? [] : [["labels", oneLine(one.labels.join(", "))]]),
    ...(one.mergeCommit === null ? [] : [["merged as", one.mergeCommit]]),
    ...(one.dependsOn.length === 0
      ? []
      : [["depends on", one.dependsOn.map((link) => `${link.id} (${link.state})`).join(", ")]]),
    ...(one.dependents.length === 0
      ? []
      : [["needed by", one.dependents.map((link) => `${link.id} (${link.state})`).join(", ")]]),
    ["steps", one.steps.map((step) => `${step.name} ${step.state}`).join(" → ")],
  ];
  const runs = one.runs.map((run) => [
    run.id,
    run.step,
    run.slot ?? "—",
    run.cached ? "cached" : run.state,
    run.verdict ?? "—",
    oneLine(run.error?.message ?? run.notes ?? ""),
  ]);
  return [
    `${one.id}  ${stateText(one.state)}  ${oneLine(one.title)}`,
    ...(one.reason === null ? [] : reasonLines(one.reason)),
    "",
    table(facts),
    ...(runs.length === 0
      ? []
      : ["", table([["run", "step", "agent", "state", "verdict", "notes"], ...runs])]),
    ...(one.report === null ? [] : ["", plain(one.report).trimEnd()]),
  ].join("\n");
}

function reasonLines(reason: Explanation["reasons"][number]): string[] {
  return [`  • ${oneLine(reason.message)}`, ...(reason.fix === null ? [] : [`    ${plain(reason.fix)}`])];
}

/** Why a task is where it is: the answer, what holds it, what would move it. */
export function explanationText(found: Explanation): string {
  const inherited = found.deadlineFrom === null ? "" : `, inherited from ${found.deadlineFrom}`;
  return [
    `${found.taskId}  ${stateText(found.state)}  ${oneLine(found.summary)}`,
    ...found.reasons
      .filter((reason) => reason.message !== found.summary || reason.fix !== null)
      .flatMap(reasonLines),
    ...(found.queuePosition === null ? [] : [`  Place ${found.queuePosition} in the queue.`]),
    `  Deadline ${localTime(found.deadlineAt)}${inherited}.`,
    ...found.next.map((next) => `  → ${plain(next)}`),
  ].join("\n");
}

const LINE_COLORS: readonly (readonly [start: string, color: "bold" | "cyan" | "green" | "red"])[] = [
  ["diff ", "bold"],
  ["+++", "bold"],
  ["---", "bold"],
  ["@@", "cyan"],
  ["+", "green"],
  ["-", "red"],
];

/** A unified diff, coloured on a terminal. */
export function diffText(diff: TaskDiff): string {
  if (diff.patch === "") return "No changes yet.";
  const lines = diff.patch
    .trimEnd()
    .split("\n")
    .map((line) => {
      const color = LINE_COLORS.find(([start]) => line.startsWith(start))?.[1];
      return color === undefined ? plain(line) : colored(color, plain(line));
    });
  return [...lines, ...(diff.truncated ? ["… the rest is left out; see the task's branch."] : [])].join("\n");
}

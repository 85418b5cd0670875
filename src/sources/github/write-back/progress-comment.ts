import type { HostedTask } from "../hosted-task.ts";
import { quoted } from "./pull-request-body.ts";

const LABELS: Readonly<Record<string, string | null>> = {
  queued: "miyabi:queued",
  blocked: "miyabi:blocked",
  ready: "miyabi:running",
  running: "miyabi:running",
  waiting: "miyabi:running",
  delivered: "miyabi:delivered",
  done: "miyabi:delivered",
  failed: "miyabi:failed",
  cancelled: null,
};
export const STATE_LABELS: readonly string[] = [
  ...new Set([...Object.values(LABELS).filter((label) => label !== null), "miyabi:review"]),
];

/** The label that shows a task's state; null for none. */
export function labelOf(
  task: Pick<HostedTask, "state" | "waitsFor" | "stepKind" | "currentStep">,
): string | null {
  if (task.state === "waiting" && task.waitsFor === "person") return "miyabi:blocked";
  if (task.currentStep === "review" && ["ready", "running", "waiting"].includes(task.state))
    return "miyabi:review";
  return LABELS[task.state] ?? null;
}

const MAX_AUTHORS = 5;

const plain = (login: string): string => login.replace(/[^\w[\]-]/g, "");

/** Who wrote what the agents do not get. */
function unusedLines({ issue }: HostedTask): readonly string[] {
  const edit =
    issue.editedBy === null
      ? []
      : [
          `Title or text of the issue were changed by ${plain(issue.editedBy)} after they were taken; that is not used. \`/miyabi use\` takes them as they are now.`,
          "",
        ];
  if (issue.unused.length === 0) return edit;
  const shown = issue.unused.slice(0, MAX_AUTHORS).map(({ author, count }) => `${count} of ${plain(author)}`);
  const more =
    issue.unused.length > MAX_AUTHORS ? ` and ${issue.unused.length - MAX_AUTHORS} more people` : "";
  return [
    ...edit,
    `Comments that are not used: ${shown.join(", ")}${more}. Only commands of people with write access are (\`/miyabi help\`).`,
    "",
  ];
}

/** The one comment of an issue: where its task stands and why, its steps, and where to look. */
export function progressComment(task: HostedTask, consoleUrl: string): string {
  const why = task.reason === null ? "" : `\n\n${quoted(task.reason.message)}`;
  const at = task.currentStep === null ? "" : ` at **${task.currentStep}**`;
  const steps = task.workflow.steps
    .map(({ name }) => (name === task.currentStep ? `**${name}**` : name))
    .join(" → ");
  const rounds = task.round > 1 ? ` Round ${task.round}.` : "";
  return [
    `**${task.state}**${task.state === "done" || task.state === "cancelled" ? "" : at}.${rounds}${why}`,
    "",
    steps,
    "",
    ...(task.pullRequest === null ? [] : [`Pull request: #${task.pullRequest.number}`, ""]),
    ...(task.report === null
      ? []
      : ["<details><summary>Report</summary>", "", task.report, "", "</details>", ""]),
    ...unusedLines(task),
    `[${task.id} in the console](${consoleUrl}/tasks/${task.id})`,
    "",
    `<!-- miyabi:progress:${task.id} -->`,
  ].join("\n");
}

import type { Queryable } from "../../../store/index.ts";
import { withoutAnswers } from "../../../tasks/index.ts";
import type { HostedTask } from "../hosted-task.ts";

interface RunFacts {
  readonly step: string;
  readonly kind: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly notes: string | null;
  readonly cached: boolean;
}

/** The newest good run of each step. */
export async function goodRuns(database: Queryable, taskId: string): Promise<readonly RunFacts[]> {
  const { rows } = await database.query<RunFacts>(
    `select distinct on (step_position) step, kind, state, verdict, notes, cached from miyabi.runs
     where task_id = $1 and state = 'succeeded' order by step_position, attempt desc`,
    [taskId],
  );
  return rows;
}

/** One line of a list for each run that looked at the work. */
export const checkedLines = (runs: readonly RunFacts[]): readonly string[] =>
  runs
    .filter(({ verdict }) => verdict !== "done")
    .map(
      (run) =>
        `- **${run.step}**: ${run.verdict ?? "passed"}${run.cached ? " (the same tree passed before)" : ""}${run.notes === null || run.notes === "" ? "" : ` — ${oneLine(run.notes)}`}`,
    );

/** What, why, how checked, what it cost, and where to look. */
export async function pullRequestBody(
  params: Readonly<{ database: Queryable; consoleUrl: string }>,
  task: HostedTask,
): Promise<string> {
  const runs = await goodRuns(params.database, task.id);
  const work = runs.find(({ verdict }) => verdict === "done");
  const lines = checkedLines(runs);
  const notes = withoutAnswers(work?.notes ?? "");
  return [
    `Closes #${task.issue.number}.`,
    "",
    ...(notes === "" ? [] : [quoted(notes), ""]),
    "### Checked",
    "",
    ...(lines.length === 0 ? ["- nothing yet"] : lines),
    "",
    `[What was done, step by step, and what it cost](${params.consoleUrl}/tasks/${task.id})`,
    "",
    `<!-- miyabi:task:${task.id} -->`,
  ].join("\n");
}

/** Words of a model are quoted, cut, and cannot mention people or close other issues. */
export function quoted(text: string): string {
  return harmless(text.slice(0, 2_000))
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}

const oneLine = (text: string): string => harmless(text.replaceAll(/\s+/g, " ").slice(0, 300));

/** A zero-width space keeps mentions, references and markers from having an effect. */
function harmless(text: string): string {
  return text
    .replaceAll("@", "@\u200B")
    .replaceAll(/#(?=\d)/g, "#\u200B")
    .replaceAll("<!--", "<\u200B!--");
}

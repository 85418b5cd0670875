import { resolveConflict } from "./conflict.ts";
import { countReview, parseHeader } from "./prompt.ts";
import { findRecipe, type Recipe, type Step } from "./recipe.ts";
import { Blocked, carryOut, commitAll, runCommand } from "./steps.ts";
import type { Turn } from "./turn.ts";

export interface Verdict {
  readonly verdict: "done" | "approve" | "changes" | "blocked";
  readonly notes: string;
}

const NO_RECIPE =
  "I am only the sample agent: I carry out recipes written in the sample issues and understand nothing else. " +
  "This issue has no recipe. Configure a real agent with `miyabi init`, start miyabi again, and retry the task.";

/** One turn: reads why it was called, does what the recipe says for that and reports a verdict. */
export async function work(
  prompt: string,
  history: readonly string[],
  turn: Turn,
  memory: { unreported: Verdict | null },
): Promise<void> {
  // Reminded of a verdict that nobody took: the work itself is done.
  const { verdict, notes } =
    memory.unreported ??
    (await decide(prompt, history, turn).catch((error: unknown): Verdict => {
      turn.signal.throwIfAborted();
      return { verdict: "blocked", notes: error instanceof Error ? error.message : String(error) };
    }));
  if (verdict === "blocked") await turn.say(notes);
  memory.unreported = { verdict, notes };
  const reported = await turn.report("report_result", { verdict, notes });
  if (reported.ok) memory.unreported = null;
  if (!reported.ok) await turn.say(`My verdict "${verdict}" could not be reported: ${reported.output}`);
}

async function decide(prompt: string, history: readonly string[], turn: Turn): Promise<Verdict> {
  // A prompt that only says "go on" carries no issue text; the session remembers it.
  const source = [prompt, ...history.toReversed()].find((text) => text.includes("miyabi-recipe"));
  const found = source === undefined ? null : await findRecipe(source);
  if (found === null) return { verdict: "blocked", notes: NO_RECIPE };
  const { reason } = parseHeader(prompt);
  if (reason === "review") return review(found, countReview(prompt, history), turn);
  if (reason === "conflict") await resolveConflict(prompt, found.conflict ?? [], turn);
  else for (const step of stepsFor(found, reason)) await carryOut(step, turn);
  await commitAll(turn, "Finish the work");
  const said = turn.said().trim();
  return { verdict: "done", notes: said === "" ? "Done." : said };
}

function stepsFor(recipe: Recipe, reason: string): readonly Step[] {
  const named =
    reason === "check-failed" || reason === "changes-requested" || reason === "continue"
      ? recipe[reason]
      : reason === "rejected"
        ? recipe["changes-requested"]
        : recipe.implement;
  if (named !== undefined) return named;
  // Every step may be repeated, so going on means to start over.
  if (reason === "continue") return recipe.implement;
  throw new Blocked(`I am only the sample agent, and the recipe does not say what to do about "${reason}".`);
}

async function review(recipe: Recipe, number: number, turn: Turn): Promise<Verdict> {
  await runCommand(turn, "git --no-optional-locks show --stat --format='%h %s' HEAD");
  const verdicts = recipe.review ?? [{ approve: "The change does what the issue asks." }];
  const verdict = verdicts[Math.min(number, verdicts.length) - 1];
  if (verdict === undefined) throw new Blocked("The recipe has no review.");
  if ("blocked" in verdict) throw new Blocked(verdict.blocked);
  if ("approve" in verdict) {
    await turn.say(verdict.approve);
    return { verdict: "approve", notes: verdict.approve };
  }
  await turn.say(verdict.changes);
  return { verdict: "changes", notes: verdict.changes };
}

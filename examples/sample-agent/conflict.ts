import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseMergeTarget } from "./prompt.ts";
import type { Step } from "./recipe.ts";
import { git, runProgram } from "./shell.ts";
import { carryOut, commitAll, edit, isMerging, runCommand } from "./steps.ts";
import type { Turn } from "./turn.ts";

const CONFLICT = /^<{7} [^\n]*\n([\s\S]*?)(?:^\|{7}[^\n]*\n[\s\S]*?)?^={7}\n([\s\S]*?)^>{7} [^\n]*(?:\n|$)/gm;

/** Both sides of every conflict in a file, the other side first. Pure. */
export function keepBothSides(text: string): string {
  return text.replace(CONFLICT, (_whole, ours: string, theirs: string) => theirs + ours);
}

/**
 * Finishes the merge that the client has begun (or begins the one that the prompt names): files that the recipe resolves
 * get its content, the others keep both sides.
 */
export async function resolveConflict(prompt: string, steps: readonly Step[], turn: Turn): Promise<void> {
  await beginMerge(prompt, turn);
  const conflicted = await unmergedFiles(turn);
  await turn.think(
    conflicted.length === 0
      ? "Nothing is in conflict any more."
      : `Both sides changed ${conflicted.join(", ")}. I look at what each of them wanted.`,
  );
  for (const step of steps) await carryOut(step, turn);
  for (const file of conflicted) {
    const text = await readFile(path.join(turn.cwd, file), "utf8").catch(() => "");
    if (text.includes("<<<<<<< "))
      await edit(turn, "Keep both sides of", file, (old) => keepBothSides(old ?? ""));
  }
  await commitAll(turn, "Merge the target branch and keep both changes");
}

async function beginMerge(prompt: string, turn: Turn): Promise<void> {
  const target = parseMergeTarget(prompt);
  if (target === null || (await isMerging(turn))) return;
  const isContained = await runProgram(
    turn.cwd,
    "git",
    ["merge-base", "--is-ancestor", target, "HEAD"],
    turn.signal,
  );
  if (isContained.code !== 0) await runCommand(turn, `git merge --no-edit ${target}`);
}

async function unmergedFiles({ cwd, signal }: Turn): Promise<string[]> {
  const names = await git(cwd, ["diff", "--name-only", "--diff-filter=U", "-z"], signal);
  return names.split("\0").filter((name) => name !== "");
}

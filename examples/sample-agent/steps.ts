import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { git, runProgram } from "./shell.ts";
import type { Step } from "./recipe.ts";
import type { ToolResult, Turn } from "./turn.ts";

/** The agent cannot go on; the reason goes into its verdict. */
export class Blocked extends Error {}

/** Carries one step out. @throws Blocked; the turn's abort reason. */
export async function carryOut(step: Step, turn: Turn): Promise<void> {
  if ("think" in step) return turn.think(step.think);
  if ("say" in step) return turn.say(step.say);
  if ("plan" in step) return turn.plan(step.plan, 0);
  if ("wait" in step) return turn.wait(step.wait);
  if ("blocked" in step) throw new Blocked(step.blocked);
  if ("permission" in step) {
    if (await turn.isAllowed(step.permission)) return;
    throw new Blocked(`Permission was not given: ${step.permission}`);
  }
  if ("progress" in step) return void (await turn.report("report_progress", { text: step.progress }));
  if ("message" in step) return void (await turn.report("send_message", step.message));
  if ("ask" in step) {
    return turn.say(`The answer is: ${await askPerson(turn, step.ask)}`);
  }
  if ("run" in step) return void (await runCommand(turn, step.run));
  if ("commit" in step) return void (await commitAll(turn, step.commit));
  await changeFile(step, turn);
}

const waiting = /"status":\s*"waiting"[\s\S]*?"question_id":\s*"(Q\d+)"/;

/** Asks until there is an answer: one call waits only for a while. */
async function askPerson(turn: Turn, question: string): Promise<string> {
  let answer = await turn.report("ask_person", { question });
  for (;;) {
    const id = answer.ok ? waiting.exec(answer.output)?.[1] : undefined;
    if (id === undefined) return answer.output;
    answer = await turn.report("ask_person", { question_id: id });
  }
}

type FileStep = Extract<
  Step,
  | { read: string }
  | { write: unknown }
  | { append: unknown }
  | { replace: unknown }
  | { delete: string }
  | { resolve: unknown }
>;

async function changeFile(step: FileStep, turn: Turn): Promise<void> {
  if ("read" in step) {
    await turn.tool({ title: `Read ${step.read}`, kind: "read", input: { path: step.read } }, async () => ({
      ok: true,
      output: await readFile(path.join(turn.cwd, step.read), "utf8"),
    }));
  } else if ("write" in step) await edit(turn, "Write", step.write.path, () => step.write.content);
  else if ("resolve" in step) await edit(turn, "Resolve", step.resolve.path, () => step.resolve.content);
  else if ("append" in step) {
    const { path: file, content } = step.append;
    await edit(turn, "Append to", file, (old) =>
      old?.endsWith(content) === true ? old : (old ?? "") + content,
    );
  } else if ("replace" in step) {
    const { path: file, find, with: replacement } = step.replace;
    await edit(turn, "Edit", file, (old) => {
      // A replacement that holds what it replaces would be made twice.
      if (replacement.includes(find) && old?.includes(replacement) === true) return old;
      if (old?.includes(find) === true) return old.replace(find, () => replacement);
      if (replacement !== "" && old?.includes(replacement) === true) return old; // Done before a crash.
      throw new Blocked(`${file} does not contain what should be replaced: ${JSON.stringify(find)}`);
    });
  } else {
    const file = path.join(turn.cwd, step.delete);
    await turn.tool(
      { title: `Delete ${step.delete}`, kind: "delete", input: { path: step.delete } },
      async () => {
        await rm(file, { force: true });
        return { ok: true, output: "" };
      },
    );
  }
}

/** Changes a file and shows the difference. */
export async function edit(
  turn: Turn,
  verb: string,
  file: string,
  change: (old: string | null) => string,
): Promise<void> {
  let blocked: Blocked | null = null;
  await turn.tool({ title: `${verb} ${file}`, kind: "edit", input: { path: file } }, async () => {
    const target = path.join(turn.cwd, file);
    const oldText = await readFile(target, "utf8").catch(() => null);
    let newText: string;
    try {
      newText = change(oldText);
    } catch (error) {
      if (error instanceof Blocked) blocked = error;
      throw error;
    }
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, newText);
    return { ok: true, output: "", diff: { path: file, oldText, newText } };
  });
  if (blocked !== null) throw blocked;
}

/** Runs a shell command; its failure is shown, and the agent goes on. */
export function runCommand(turn: Turn, command: string): Promise<ToolResult> {
  return turn.tool({ title: command, kind: "execute", input: { command } }, async () => {
    const { code, output } = await runProgram(turn.cwd, "/bin/sh", ["-c", command], turn.signal);
    return { ok: code === 0, output: code === 0 ? output : `${output}\n(exit code ${code})` };
  });
}

/** Commits all changes; nothing to commit is no error. True where a commit was made. */
export async function commitAll(turn: Turn, message: string): Promise<boolean> {
  const { cwd, signal } = turn;
  if ((await git(cwd, ["status", "--porcelain"], signal)) === "" && !(await isMerging(turn))) return false;
  const result = await turn.tool(
    {
      title: `git commit: ${message}`,
      kind: "execute",
      input: { command: `git commit -m ${JSON.stringify(message)}` },
    },
    async () => {
      await git(cwd, ["add", "--all"], signal);
      const output = await git(cwd, ["commit", "--quiet", "--no-verify", "-m", message], signal);
      return { ok: true, output };
    },
  );
  if (!result.ok) throw new Blocked(`The work could not be committed: ${result.output}`);
  return true;
}

/** Whether a merge waits for its commit. */
export async function isMerging({ cwd, signal }: Turn): Promise<boolean> {
  return (
    (await runProgram(cwd, "git", ["rev-parse", "--quiet", "--verify", "MERGE_HEAD"], signal)).code === 0
  );
}

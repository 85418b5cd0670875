import type { AgentSession, DriverParams, OpenAgent } from "../../driver.ts";
import { fillCommand, fillPlaceholders, type PlaceholderValues } from "../placeholders.ts";
import { removePrivateFile, writePrivateFile } from "../private-files.ts";
import { RESULT_FILE } from "./result-file.ts";
import { runTurn, type TurnProcess } from "./turn.ts";

const PROMPT_FILE = "miyabi-prompt.md";
/** Linux takes at most 128 KiB in one argument, with its end. */
const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

/**
 * Opens a "session" with any program: each prompt starts it once, its exit status says how the turn went, and the verdict is
 * what it wrote to `$MIYABI_RESULT`. Nothing is started before the first prompt, so a missing program shows there.
 * The environment names the run: MIYABI_RUN, MIYABI_TASK, MIYABI_ROLE, MIYABI_WORKTREE, MIYABI_PROMPT (a file),
 * MIYABI_RESULT, MIYABI_MCP and MIYABI_GATEWAY.
 * @throws input.invalid where the profile has a file outside the home; disk.full, disk.not_writable.
 */
export const openCommandAgent: OpenAgent = async (params) => {
  for (const [file, content] of Object.entries(params.profile.files))
    await writePrivateFile(params.home, file, fillPlaceholders(content, valuesOf(params, "")));
  return createCommandSession(params);
};

function createCommandSession(params: Readonly<DriverParams>): AgentSession {
  let running: TurnProcess | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const end = async (): Promise<void> => {
    const current = running;
    await current?.cancel();
    await current?.outcome;
  };
  return {
    sessionId: null,
    resumed: false,
    prompt: (text) => {
      const outcome = queue.then(async () => {
        const turn = runTurn({
          driver: params,
          start: () => start(params, text),
          input: inputOf(params, text),
        });
        running = turn;
        return turn.outcome.finally(() => {
          running = null;
        });
      });
      queue = outcome;
      return outcome;
    },
    cancel: end,
    close: end,
  };
}

const inputOf = ({ profile }: Readonly<DriverParams>, text: string): string =>
  profile.promptBy === "stdin" ? text : "";

function valuesOf(params: Readonly<DriverParams>, prompt: string): PlaceholderValues {
  return {
    gateway: params.gatewayUrl,
    mcp: params.mcpUrl,
    home: params.home,
    cwd: params.cwd,
    model: params.profile.model,
    session: params.resumeSessionId,
    package: params.packageDir,
    prompt,
    promptFile: `${params.home}/${PROMPT_FILE}`,
  };
}

async function start(params: Readonly<DriverParams>, text: string): ReturnType<DriverParams["startProcess"]> {
  const { profile, home, run } = params;
  if (profile.promptBy === "argument" && Buffer.byteLength(text) > MAX_ARGUMENT_BYTES)
    throw new Error("The prompt is too long for an argument; let the profile take it by stdin or file.");
  await removePrivateFile(home, RESULT_FILE);
  await writePrivateFile(home, PROMPT_FILE, text);
  const values = valuesOf(params, text);
  const { command, args, env } = fillCommand(profile, values);
  const mentions = (placeholder: string): boolean => profile.args.some((arg) => arg.includes(placeholder));
  if (profile.promptBy === "argument" && !mentions("{prompt}")) args.push(text);
  if (profile.promptBy === "file" && !mentions("{promptFile}")) args.push(values.promptFile ?? "");
  return params.startProcess({
    command,
    args,
    env: {
      MIYABI_RUN: run.runId,
      MIYABI_TASK: run.taskId,
      MIYABI_ROLE: run.role,
      MIYABI_WORKTREE: params.cwd,
      MIYABI_PROMPT: values.promptFile ?? "",
      MIYABI_RESULT: `${home}/${RESULT_FILE}`,
      MIYABI_MCP: params.mcpUrl,
      MIYABI_GATEWAY: params.gatewayUrl,
      ...env,
    },
  });
}

import { quoteForShell } from "../../base/index.ts";
import { parseUpdate, updateScript } from "../../repositories/index.ts";
import { fillCommand } from "../drivers/index.ts";
import type { AgentProfile } from "../profile.ts";
import type { RunSpec } from "../protocol.ts";
import { finishProgram, type ProgramResult } from "./program.ts";
import type { RunSandbox } from "./run-sandbox.ts";

/** The pane's terminal, while it is lent to a program. */
export interface Terminal {
  /** False where the host has none: then a person works in the clone by other means. */
  readonly isInteractive: boolean;
  /** Keeps the pane's own output and input away from the terminal while `work` runs. */
  lend<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when a person types a line. */
  nextLine(signal: AbortSignal): Promise<string>;
}

interface LendParams {
  readonly spec: RunSpec;
  readonly profile: AgentProfile;
  readonly sessionId: string | null;
  readonly packageDir: string | null;
  readonly sandbox: RunSandbox;
  readonly terminal: Terminal;
  readonly notice: (text: string) => void;
  readonly handedBack: Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Lets a person work in the run's sandbox with the agent's own terminal program until the run is handed back. Leaves nothing
 * uncommitted. Resolves to the person's commits, one `hash subject` a line, oldest first; empty where there are none.
 */
export async function lendTerminal(params: Readonly<LendParams>): Promise<string> {
  const before = (await inside(params, ["git", "rev-parse", "HEAD"])).stdout.trim();
  await useTerminal(params);
  const { spec, sandbox, signal } = params;
  const { argv } = updateScript({
    // It is contained already: only what lies uncommitted is taken in.
    commit: spec.workspace.base,
    base: spec.workspace.base,
    mode: "merge",
    onConflict: "abort",
    message: `Work of a person on ${spec.taskTitle}`,
    author: spec.workspace.author,
  });
  const [command = "", ...args] = argv;
  const settled = await finishProgram(await sandbox.start({ command, args, isolated: true }), { signal });
  signal.throwIfAborted();
  const update = parseUpdate(settled);
  if (update.outcome !== "updated")
    params.notice("Not everything could be committed; the agent finds it in the clone.");
  const log = await inside(params, ["git", "log", "--reverse", "--format=%h %s", `${before}..HEAD`]);
  return log.code === 0 ? log.stdout.trim() : "";
}

async function inside(params: Readonly<LendParams>, command: readonly string[]): Promise<ProgramResult> {
  const [program = "", ...args] = command;
  const handle = await params.sandbox.start({
    command: program,
    args,
    isolated: true,
    env: { GIT_PAGER: "cat", GIT_OPTIONAL_LOCKS: "0" },
  });
  const result = await finishProgram(handle, { signal: params.signal });
  params.signal.throwIfAborted();
  return result;
}

async function useTerminal(params: Readonly<LendParams>): Promise<void> {
  const { terminal, signal, sandbox, profile } = params;
  const ended = Promise.withResolvers<"stopped">();
  const onAbort = (): void => ended.resolve("stopped");
  signal.addEventListener("abort", onAbort, { once: true });
  const done = Promise.race([params.handedBack.then(() => "handed-back" as const), ended.promise]);
  const program = terminalProgram(params);
  try {
    if (!terminal.isInteractive) {
      params.notice(`This pane has no terminal. The clone is at ${sandbox.cloneDir}.`);
      await done;
      return;
    }
    for (;;) {
      params.notice(`A person takes over; hand back with: miyabi handback ${params.spec.taskId}`);
      const end = await terminal.lend(async () => {
        const handle = await sandbox.start({ ...program, terminal: true });
        const first = await Promise.race([done, handle.exited.then(() => "exited" as const)]);
        await handle.kill();
        return first;
      });
      if (end !== "exited") return;
      params.notice(
        `${profile.title} ended. Press Enter to open it again, or: miyabi handback ${params.spec.taskId}`,
      );
      const again = await Promise.race([done, terminal.nextLine(signal).catch(() => "stopped" as const)]);
      if (again === "handed-back" || signal.aborted) return;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
  }
}

function terminalProgram(params: Readonly<LendParams>): {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const { profile, sandbox } = params;
  if (profile.terminal === null) return inTerminal(["/bin/sh", "-i"], { PS1: "miyabi $ " });
  const { command, args, env } = fillCommand(
    { ...profile.terminal, env: profile.env },
    {
      gateway: sandbox.gatewayUrl,
      mcp: sandbox.mcpUrl,
      home: sandbox.homeDir,
      cwd: sandbox.cloneDir,
      model: profile.model,
      session: params.sessionId,
      package: params.packageDir,
    },
  );
  return inTerminal([command, ...args], env);
}

/**
 * The program gets a terminal of its own inside ours. A shell with job control would otherwise make itself the pane's foreground
 * group, and after its end this host could neither read nor set the terminal again.
 */
function inTerminal(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): ReturnType<typeof terminalProgram> {
  const script = 'command -v script >/dev/null && exec script -qfc "$1" /dev/null; exec /bin/sh -c "$1"';
  const line = words.map(quoteForShell).join(" ");
  return { command: "/bin/sh", args: ["-c", script, "miyabi", `exec ${line}`], env };
}

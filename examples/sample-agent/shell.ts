import { spawn } from "node:child_process";

export interface ShellResult {
  readonly code: number;
  readonly output: string;
}

const MAX_OUTPUT = 200_000;

/** Runs a program in the clone with its standard error joined to its output; the abort kills its whole process group. */
export function runProgram(
  cwd: string,
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT) output += chunk.toString("utf8");
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const onAbort = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    };
    signal.addEventListener("abort", onAbort, { once: true });
    child.on("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    });
    child.on("close", (code) => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs git; a failure is an error with git's own words. */
export async function git(cwd: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const result = await runProgram(cwd, "git", args, signal);
  if (result.code === 0) return result.output;
  throw new Error(`git ${args.join(" ")} failed: ${result.output.trim()}`);
}

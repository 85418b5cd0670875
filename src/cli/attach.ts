import { spawnProcess } from "../base/index.ts";
import type { Output } from "./output.ts";

interface OpenPaneParams {
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Shell command that shows the pane. */
  readonly command: string;
  /** What `--json` prints. */
  readonly value: unknown;
}

/** Hands the terminal over to tmux until the person leaves it; where there is no terminal, the command is the result. */
export function openPane({ output, env, command, value }: Readonly<OpenPaneParams>): Promise<number> {
  if (output.json || !process.stdout.isTTY || !process.stdin.isTTY) {
    output.result(value, command);
    return Promise.resolve(0);
  }
  // Inside a tmux of the person's own, tmux refuses to open another one as long as TMUX is set.
  const { TMUX: _outer, ...inner } = env;
  const child = spawnProcess("/bin/sh", ["-c", `exec ${command}`], { stdio: "inherit", env: inner });
  return new Promise((resolve) => {
    child.on("error", () => resolve(70));
    child.on("exit", (code) => resolve(code ?? 70));
  });
}

import { AppError, quoteForShell, type ProcessRunner } from "../../base/index.ts";

interface TmuxClientParams {
  readonly socket: string;
  readonly runner: ProcessRunner;
  /** Environment of tmux and so of its server: an allow-list, never the caller's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly command?: string;
}

/** Runs tmux commands against one server. */
export interface TmuxClient {
  /** Output of a command that has to work. @throws process.failed with tmux's words; process.timeout where the server hangs. */
  run(...args: readonly string[]): Promise<string>;
  /** Like `run`, but null where tmux refuses: no server, no such pane. */
  attempt(...args: readonly string[]): Promise<string | null>;
  /** @throws tool.missing where tmux is absent or older than 3.0. */
  checkVersion(): Promise<void>;
  /** The command line up to the tmux command, quoted for a shell. */
  readonly shellPrefix: string;
}

const TIMEOUT_MS = 10_000;
const OLDEST_MAJOR = 3; // pane options (`set -p`) and `respawn-pane -e` came with 3.0

export function createTmuxClient(params: Readonly<TmuxClientParams>): TmuxClient {
  const program = params.command ?? "tmux";
  const base = ["-S", params.socket, "-f", "/dev/null", "-u"];

  const execute = (args: readonly string[]): ReturnType<ProcessRunner["run"]> =>
    params.runner
      .run({ command: program, args, env: params.env, timeoutMs: TIMEOUT_MS })
      .catch((error: unknown) => {
        // EACCES too: a directory of PATH that this user may not read hides what is behind it.
        throw missing("tmux is not installed.", error);
      });

  const attempt = async (...args: readonly string[]): Promise<string | null> => {
    const result = await execute([...base, ...args]);
    if (result.timedOut) throw hangs(params.socket);
    return result.code === 0 ? result.stdout : null;
  };

  const run = async (...args: readonly string[]): Promise<string> => {
    const result = await execute([...base, ...args]);
    if (result.timedOut) throw hangs(params.socket);
    if (result.code === 0) return result.stdout;
    throw new AppError({
      code: "process.failed",
      message: `tmux ${args[0] ?? ""} failed: ${result.stderr.trim() || `exit ${result.code ?? result.signal ?? "?"}`}.`,
    });
  };

  const checkVersion = async (): Promise<void> => {
    const result = await execute(["-V"]);
    // "tmux 3.3a", "tmux next-3.5", "tmux master"
    const major = /(\d+)\./.exec(result.stdout)?.[1];
    if (major !== undefined && Number(major) < OLDEST_MAJOR)
      throw missing(`${result.stdout.trim()} is too old; tmux ${OLDEST_MAJOR}.0 or newer is needed.`, null);
  };

  return { run, attempt, checkVersion, shellPrefix: [program, ...base].map(quoteForShell).join(" ") };
}

const hangs = (socket: string): AppError =>
  new AppError({ code: "process.timeout", message: `The tmux server at ${socket} does not answer.` });

const INSTALL: Readonly<Record<string, string>> = { darwin: "brew install tmux" };

const missing = (message: string, cause: unknown): AppError =>
  new AppError({
    code: "tool.missing",
    message,
    fix:
      INSTALL[process.platform] ??
      "sudo apt-get install -y tmux   (Fedora: sudo dnf install tmux, Arch: sudo pacman -S tmux, Alpine: sudo apk add tmux)",
    details: { tool: "tmux" },
    cause,
  });

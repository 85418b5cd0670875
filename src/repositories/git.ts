import { systemClock, AppError, type Clock, type ProcessRunner, type RunResult } from "../base/index.ts";

export interface GitParams {
  /** Arguments after the fixed flags, e.g. `["rev-parse", "HEAD"]`. */
  readonly args: readonly string[];
  /** The repository's git directory; without it git discovers one from `cwd`. */
  readonly gitDir?: string;
  readonly workTree?: string;
  /** Must never be a directory that an agent can write. Default `/`. */
  readonly cwd?: string;
  /** Added to the fixed environment, e.g. `GIT_INDEX_FILE`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Local file transport is refused unless asked for. */
  readonly allowFileTransport?: boolean;
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
}

/** Runs git in an environment that no user, system or agent configuration reaches. */
export interface Git {
  readonly clock: Clock;
  readonly processes: ProcessRunner;
  /** Directories in which programs are looked up, as in `PATH`. */
  readonly searchPath: string;
  /** @throws process.timeout, tool.missing, disk.full. Any other exit is an outcome. */
  run(params: Readonly<GitParams>): Promise<RunResult>;
  /** Standard output of a git command that has to succeed. @throws process.failed, input.too_large, and as `run`. */
  text(params: Readonly<GitParams>): Promise<string>;
  /** Runs `work` after all earlier work with the same key in this process has ended. */
  exclusive<T>(key: string, work: () => Promise<T>): Promise<T>;
}

interface OpenGitParams {
  readonly processes: ProcessRunner;
  /** `PATH` for git and the programs that it starts. */
  readonly searchPath: string;
  readonly clock?: Clock;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const OLDEST_GIT = [2, 38] as const; // `merge-tree --write-tree`

// Ownership is judged once, by inspectRepository; git's own check would make its every caller repeat the decision.
const FIXED_CONFIG = [
  "safe.directory=*",
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.sshCommand=false",
  "core.quotePath=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  "submodule.recurse=false",
  "protocol.allow=never",
] as const;

function environment(searchPath: string): Record<string, string> {
  return {
    PATH: searchPath,
    HOME: "/nonexistent",
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    GIT_EDITOR: "true",
    GIT_PAGER: "cat",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
  };
}

/** What `git` printed to explain its failure, in one short line. */
export function gitMessage(result: Readonly<RunResult>): string {
  const lines = result.stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("hint:"));
  const telling = lines.filter((line) => /^(fatal|error):/.test(line));
  const text = (telling.length > 0 ? telling : lines).slice(0, 3).join("; ");
  return text.slice(0, 500) || `exit ${result.code ?? result.signal}`;
}

/** The error for a git command that failed where it had to succeed. */
export function gitFailure(args: readonly string[], result: Readonly<RunResult>): AppError {
  return new AppError({
    code: "process.failed",
    message: `git ${args[0] ?? ""} failed: ${gitMessage(result)}`,
    details: { args: args.slice(0, 6), exitCode: result.code },
  });
}

/** Builds the runner of git that every operation of this folder takes. Starts nothing. */
export function createGit(params: Readonly<OpenGitParams>): Git {
  const base = environment(params.searchPath);
  const chains = new Map<string, Promise<unknown>>();
  const run = async (call: Readonly<GitParams>): Promise<RunResult> => {
    const config = [
      ...FIXED_CONFIG,
      ...(call.allowFileTransport === true ? ["protocol.file.allow=always"] : []),
    ];
    const result = await params.processes.run({
      command: "git",
      args: [
        ...config.flatMap((entry) => ["-c", entry]),
        "--no-pager",
        ...(call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`]),
        ...(call.workTree === undefined ? [] : [`--work-tree=${call.workTree}`]),
        ...call.args,
      ],
      cwd: call.cwd ?? call.workTree ?? "/",
      env: { ...base, ...call.env },
      timeoutMs: call.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(call.input === undefined ? {} : { input: call.input }),
      ...(call.maxOutputBytes === undefined ? {} : { maxOutputBytes: call.maxOutputBytes }),
    });
    if (result.timedOut)
      throw new AppError({
        code: "process.timeout",
        message: `git ${call.args[0] ?? ""} took too long and was ended.`,
      });
    if (result.code !== 0 && /No space left on device|Disk quota exceeded/.test(result.stderr))
      throw new AppError({
        code: "disk.full",
        message: `git ${call.args[0] ?? ""} found no space left on the disk.`,
        fix: "Free some space; work goes on by itself then.",
      });
    return result;
  };
  return {
    clock: params.clock ?? systemClock,
    processes: params.processes,
    searchPath: params.searchPath,
    run,
    text: async (call) => {
      const result = await run(call);
      if (result.code !== 0) throw gitFailure(call.args, result);
      if (result.truncated)
        throw new AppError({
          code: "input.too_large",
          message: `git ${call.args[0] ?? ""} printed more than allowed.`,
        });
      return result.stdout;
    },
    exclusive: (key, work) => {
      const turn = (chains.get(key) ?? Promise.resolve()).then(work);
      const settled = turn.catch(() => {});
      chains.set(key, settled);
      void settled.then(() => {
        if (chains.get(key) === settled) chains.delete(key);
      });
      return turn;
    },
  };
}

/** Version of the installed git. @throws tool.missing where there is none or it is older than 2.38. */
export async function requireGit(git: Git): Promise<string> {
  const found = /(\d+)\.(\d+)[\d.]*/.exec(await git.text({ args: ["version"] }));
  const [major, minor] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  if (found === null || major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1]))
    throw new AppError({
      code: "tool.missing",
      message: `git ${OLDEST_GIT.join(".")} or newer is needed; this is ${found?.[0] ?? "unknown"}.`,
      fix: "sudo apt-get install git   # or a newer one: https://git-scm.com/download/linux",
    });
  return found[0];
}

/** Commit id that a revision names, or null where it names none. */
export async function resolveCommit(git: Git, gitDir: string, revision: string): Promise<string | null> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const result = await git.run({ gitDir, args });
  return result.code === 0 ? result.stdout.trim() : null;
}

/** Tree id of a commit. @throws process.failed where there is no such commit. */
export async function treeOf(git: Git, gitDir: string, commit: string): Promise<string> {
  return (
    await git.text({ gitDir, args: ["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`] })
  ).trim();
}

/** Whether `ancestor` is `descendant` or stands in its history; false also where either does not exist. */
export async function isAncestor(
  git: Git,
  gitDir: string,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  const result = await git.run({ gitDir, args: ["merge-base", "--is-ancestor", ancestor, descendant] });
  return result.code === 0;
}

const COMMIT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** @throws input.invalid where `value` is no full commit id. */
export function requireCommitId(field: string, value: string): string {
  if (COMMIT_ID.test(value)) return value;
  throw new AppError({
    code: "input.invalid",
    message: `${field} has to be a full commit id, not "${value.slice(0, 80)}".`,
  });
}

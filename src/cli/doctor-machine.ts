import { access, constants, stat, statfs } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  errnoOf,
  systemClock,
  systemProcessRunner,
  type Home,
  type ProcessRunner,
  quoteForShell,
} from "../base/index.ts";
import { installCommand, probeSandbox, readHostFacts, readHostLayout } from "../agents/index.ts";
import type { Finding } from "./finding.ts";

const GIB = 1024 ** 3;
const MIN_FREE_BYTES = 2 * GIB;
const TOOL_TIMEOUT_MS = 10_000;

export function checkNode(): Finding {
  return { name: "node", state: "ok", detail: process.versions.node, fix: null };
}

interface ToolParams {
  readonly processes: ProcessRunner;
  readonly searchPath: string;
  readonly program: "git" | "tmux";
  /** Argument that makes it say its version. */
  readonly version: string;
  readonly lacking: "warn" | "fail";
}

/** Whether a program runs, with the command of this distribution that installs it. */
export async function checkTool(params: Readonly<ToolParams>): Promise<Finding> {
  const { program } = params;
  const result = await params.processes
    .run({
      command: program,
      args: [params.version],
      env: { PATH: params.searchPath },
      timeoutMs: TOOL_TIMEOUT_MS,
    })
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === "tool.missing") return null;
      throw error;
    });
  if (result?.code === 0)
    return { name: program, state: "ok", detail: result.stdout.trim().split("\n")[0] ?? "", fix: null };
  const { distribution, uid } = await readHostFacts();
  return {
    name: program,
    state: params.lacking,
    detail:
      program === "tmux"
        ? "It is not installed: agents run as plain processes, without panes."
        : "It is not installed.",
    fix: installCommand(distribution, program, uid),
  };
}

/** Really starts a sandbox. */
export async function checkSandbox(searchPath: string): Promise<Finding> {
  const probe = await probeSandbox({
    runner: systemProcessRunner,
    layout: await readHostLayout(searchPath),
    clock: systemClock,
  });
  return probe.available
    ? { name: "sandbox", state: "ok", detail: `bubblewrap ${probe.version} works`, fix: null }
    : {
        name: "sandbox",
        state: "warn",
        detail: `${probe.reason} Without it only the sample project runs.`,
        fix: probe.fix,
      };
}

/** Whether the data directory can be written and has room. Creates nothing. */
export async function checkData(home: Home): Promise<Finding> {
  const place = await firstExisting(home.root);
  const inTheWay = await fileInPlaceOf([
    place,
    home.runDir,
    home.logsDir,
    path.join(home.root, "postgresql"),
  ]);
  if (inTheWay !== null)
    return {
      name: "data",
      state: "fail",
      detail: `${inTheWay} is a file; a directory is wanted there.`,
      fix: `mv ${quoteForShell(inTheWay)} ${quoteForShell(`${inTheWay}.away`)}   # or set MIYABI_HOME to another directory`,
    };
  try {
    await access(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    return {
      name: "data",
      state: "fail",
      detail: `${place} cannot be written (${errnoOf(error) ?? "unknown"}).`,
      fix: `sudo chown -R "$(id -un)" ${quoteForShell(place)}   # or set MIYABI_HOME to another directory`,
    };
  }
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  return free < MIN_FREE_BYTES
    ? {
        name: "data",
        state: "warn",
        detail: `${home.root}: only ${(free / GIB).toFixed(1)} GiB free.`,
        fix: "Free some space, or set MIYABI_HOME to a directory on another disk.",
      }
    : { name: "data", state: "ok", detail: `${home.root}, ${(free / GIB).toFixed(0)} GiB free`, fix: null };
}

/** The first of these that is there and no directory, or null. */
async function fileInPlaceOf(directories: readonly string[]): Promise<string | null> {
  for (const directory of directories) {
    const found = await stat(directory).catch(() => null);
    if (found !== null && !found.isDirectory()) return directory;
  }
  return null;
}

async function firstExisting(directory: string): Promise<string> {
  const exists = await access(directory).then(
    () => true,
    () => false,
  );
  return exists || directory === path.dirname(directory) ? directory : firstExisting(path.dirname(directory));
}

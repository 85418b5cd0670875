import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { open, readdir, readFile } from "node:fs/promises";
import { Duplex, PassThrough, pipeline, type Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { AppError, errnoOf, messageOf, spawnProcess } from "../../base/index.ts";
import { STATUS_FD, type BuiltSandbox } from "./command.ts";

type StdioEntry = "pipe" | "inherit" | "ignore";

/** How a program ended: status, or null where a signal ended it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when the child itself has ended; its streams may still hold output. */
function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

/** @throws tool.missing, process.failed */
async function spawned(child: ChildProcess): Promise<void> {
  // A program that ends early closes its input; its exit tells the story.
  child.stdin?.on("error", () => {});
  if (child.pid !== undefined) return;
  const [error]: unknown[] = await once(child, "error").catch((reason: unknown) => [reason]);
  if (errnoOf(error) === "ENOENT")
    throw new AppError({
      code: "tool.missing",
      message: `"${child.spawnfile}" was not found.`,
      cause: error,
    });
  throw new AppError({
    code: "process.failed",
    message: `"${child.spawnfile}" could not be started: ${messageOf(error)}`,
    cause: error,
  });
}

/** Hands a starting sandbox its options, filter and files. */
export function sendInputs(child: ChildProcess, built: BuiltSandbox): void {
  for (const { fd, content } of built.inputs) {
    const stream = child.stdio[fd];
    if (!(stream instanceof Duplex)) continue;
    stream.on("error", () => {});
    stream.end(content);
  }
}

/** Pid (as this process sees it) of the first process in the namespace; null where bwrap ended without making one. */
export function readInitPid(child: ChildProcess): Promise<number | null> {
  const status = child.stdio[STATUS_FD];
  if (!(status instanceof Duplex)) return Promise.resolve(null);
  // A child that ended at once may have taken the stream with it before anybody listened: no event would come any more.
  if (status.destroyed || status.readableEnded) return Promise.resolve(null);
  return new Promise((resolve) => {
    let received = "";
    status.on("data", (chunk: Buffer) => {
      received += chunk.toString("utf8");
      const match = /"child-pid":\s*(\d+)/.exec(received);
      if (match !== null) resolve(Number(match[1]));
    });
    status.on("error", () => resolve(null));
    status.on("close", () => resolve(null));
    status.on("end", () => resolve(null));
  });
}

/** The rest of a stream as text. */
export function restOf(stream: Readable | null): Promise<string> {
  return stream === null ? Promise.resolve("") : text(stream).catch(() => "");
}

/**
 * The child's standard streams; ended ones where it inherited ours. Node throws away what a child wrote where it ends before
 * anybody reads, hence the pipes of our own.
 */
function streamsOf(child: ChildProcess): readonly [Writable, Readable, Readable] {
  const kept = (stream: Readable | null): Readable => {
    const out = new PassThrough();
    if (stream === null) return out.end();
    // A stream that breaks ends here; the exit status tells the rest.
    pipeline(stream, out, () => out.end());
    return out;
  };
  return [child.stdin ?? new PassThrough().end(), kept(child.stdout), kept(child.stderr)];
}

const CLOSE_ON_EXEC = 0o2000000;

/**
 * File descriptors that a child would inherit from this process beyond the standard ones: those that whoever started us
 * left open. Node closes only the lowest of them.
 */
async function leakedDescriptors(): Promise<readonly number[]> {
  const leaked: number[] = [];
  for (const name of await readdir("/proc/self/fdinfo").catch(() => [])) {
    const info = await readFile(`/proc/self/fdinfo/${name}`, "utf8").catch(() => "");
    const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
    if (Number(name) > 2 && flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0)
      leaked.push(Number(name));
  }
  return leaked;
}

/** A child with listeners already in place, so that nothing it does early is lost. */
export interface StartedChild {
  readonly child: ChildProcess;
  readonly exit: Promise<ChildExit>;
  readonly streams: readonly [Writable, Readable, Readable];
}

/**
 * Starts a program that gets `stdio` and no other open file: what would leak is replaced by `/dev/null`.
 * @throws tool.missing, process.failed
 */
export async function startChild(
  command: string,
  args: readonly string[],
  options: Readonly<Omit<SpawnOptions, "stdio">> & { readonly stdio: readonly StdioEntry[] },
): Promise<StartedChild> {
  const nothing = await open("/dev/null", "r+");
  try {
    const stdio: (StdioEntry | number)[] = [...options.stdio];
    for (const fd of await leakedDescriptors()) {
      while (stdio.length <= fd) stdio.push("ignore");
      if (fd >= options.stdio.length) stdio[fd] = nothing.fd;
    }
    const child = spawnProcess(command, args, { ...options, stdio });
    const started = { child, exit: exitOf(child), streams: streamsOf(child) };
    await spawned(child);
    return started;
  } finally {
    await nothing.close();
  }
}

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Duplex, PassThrough, type Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { AppError, errnoOf, messageOf } from "../../base/index.ts";
import { STATUS_FD, type BuiltSandbox } from "./command.ts";

/** How a program ended: status, or null where a signal ended it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when the child itself has ended; its streams may still hold output. Call it right after the start. */
export function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

/** @throws tool.missing, process.failed */
export async function spawned(child: ChildProcess): Promise<void> {
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

/** The child's standard streams; ended ones where it inherited ours. */
export function streamsOf(child: ChildProcess): readonly [Writable, Readable, Readable] {
  const nothing = (): Readable => new PassThrough().end();
  return [child.stdin ?? new PassThrough().end(), child.stdout ?? nothing(), child.stderr ?? nothing()];
}

import type { Clock } from "../../base/index.ts";
import type { TranscriptBody } from "../../contract/index.ts";
import { createTail } from "../drivers/index.ts";
import type { RunSandbox } from "./run-sandbox.ts";

export interface RunCommandsParams {
  readonly sandbox: RunSandbox;
  readonly commands: readonly string[];
  readonly onEvent: (event: TranscriptBody) => void;
  /** Called with each piece of output, also with what is not kept: the run's limit counts all of it. */
  readonly onOutput: (bytes: number) => void;
  /** Called when a command runs. */
  readonly onStarted?: () => void;
  /** Whether the commands have a way out through the proxy. */
  readonly hasNetwork: boolean;
  /** True for `prepare`: see `StartProgram.prepares`. */
  readonly prepares?: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type CommandsResult =
  | { readonly outcome: "passed" }
  | {
      readonly outcome: "failed";
      readonly command: string;
      readonly exitCode: number | null;
      /** The end of its output; at most 20 KB. */
      readonly log: string;
    };

const LOG_BYTES = 20 * 1024;
/** Output of one command that goes to the transcript as it comes; of the rest only the end. */
const SHOWN_BYTES = 256 * 1024;
const CHUNK_BYTES = 16 * 1024;
const FLUSH_MS = 200;

/**
 * Runs shell commands one after the other, each in a sandbox over the same clone; the first that fails ends them.
 * @throws the signal's reason where the run was stopped.
 */
export async function runCommands(params: Readonly<RunCommandsParams>): Promise<CommandsResult> {
  for (const command of params.commands) {
    const { exitCode, log } = await runCommand(params, command);
    params.signal.throwIfAborted();
    if (exitCode !== 0) return { outcome: "failed", command, exitCode, log };
  }
  return { outcome: "passed" };
}

async function runCommand(
  params: Readonly<RunCommandsParams>,
  command: string,
): Promise<{ readonly exitCode: number | null; readonly log: string }> {
  const { clock, signal } = params;
  const startedMs = clock.monotonicMs();
  const output = createOutput(params, command);
  const handle = await params.sandbox.start({
    command: "/bin/sh",
    args: ["-c", command],
    env: { CI: "1", NO_COLOR: "1" },
    isolated: !params.hasNetwork,
    prepares: params.prepares ?? false,
  });
  params.onStarted?.();
  const onAbort = (): void => void handle.kill().catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  handle.stdin.end();
  const ended = [handle.stdout, handle.stderr].map(
    (stream) =>
      new Promise<void>((resolve) => {
        stream.on("data", (chunk: Buffer) => output.push(chunk));
        stream.on("close", resolve);
        stream.on("error", () => resolve());
      }),
  );
  const { code, signal: endedBy } = await handle.exited;
  await Promise.all(ended);
  signal.removeEventListener("abort", onAbort);
  const exitCode = code ?? (endedBy === null ? null : 137);
  output.end(exitCode, Math.round(clock.monotonicMs() - startedMs));
  return { exitCode, log: output.tail() };
}

interface CommandOutput {
  push(chunk: Buffer): void;
  end(exitCode: number | null, durationMs: number): void;
  tail(): string;
}

/** Sends output on in pieces; past the limit it keeps only the end. */
function createOutput(params: Readonly<RunCommandsParams>, command: string): CommandOutput {
  const tail = createTail(LOG_BYTES);
  const decoder = new TextDecoder();
  let pending = "";
  let shownBytes = 0;
  let hiddenBytes = 0;
  let timer: AbortController | null = null;
  const send = (text: string, exitCode: number | null, durationMs: number | null): void =>
    params.onEvent({ kind: "command", command, output: text, exitCode, durationMs, cached: false });
  const flush = (): void => {
    timer?.abort();
    timer = null;
    if (pending === "") return;
    const text = pending;
    pending = "";
    send(text, null, null);
  };
  const flushSoon = (): void => {
    if (timer !== null) return;
    const own = new AbortController();
    timer = own;
    params.clock.sleep(FLUSH_MS, own.signal).then(flush, () => {});
  };
  return {
    push: (chunk) => {
      params.onOutput(chunk.length);
      tail.push(chunk);
      if (shownBytes >= SHOWN_BYTES) {
        hiddenBytes += chunk.length;
        return;
      }
      shownBytes += chunk.length;
      pending += decoder.decode(chunk, { stream: true });
      if (pending.length >= CHUNK_BYTES) flush();
      else flushSoon();
    },
    end: (exitCode, durationMs) => {
      const last =
        hiddenBytes > 0 ? `\n… ${hiddenBytes} bytes are not shown; the end:\n${tail.text()}\n` : pending;
      if (hiddenBytes > 0) flush();
      pending = "";
      timer?.abort();
      send(last, exitCode, durationMs);
    },
    tail: () => tail.text(),
  };
}

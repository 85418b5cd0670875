import type { Readable } from "node:stream";
import type { SandboxHandle } from "../sandbox/index.ts";
import { createTail } from "../drivers/index.ts";

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface FinishParams {
  readonly maxOutputBytes?: number;
  /** Ends the program; the result then has a null code. */
  readonly signal: AbortSignal;
}

const DEFAULT_MAX_OUTPUT_BYTES = 1024 * 1024;

/** Waits for a short program of ours in a sandbox and collects what it said, the last bytes where it said too much. */
export async function finishProgram(
  handle: SandboxHandle,
  params: Readonly<FinishParams>,
): Promise<ProgramResult> {
  const max = params.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const onAbort = (): void => void handle.kill().catch(() => {});
  params.signal.addEventListener("abort", onAbort, { once: true });
  if (params.signal.aborted) onAbort();
  try {
    handle.stdin.end();
    const [stdout, stderr, exit] = await Promise.all([
      lastOf(handle.stdout, max),
      lastOf(handle.stderr, max),
      handle.exited,
    ]);
    return { code: exit.code, stdout, stderr };
  } finally {
    params.signal.removeEventListener("abort", onAbort);
  }
}

async function lastOf(stream: Readable, maxBytes: number): Promise<string> {
  const tail = createTail(maxBytes);
  stream.on("data", (chunk: Buffer) => tail.push(chunk));
  await new Promise<void>((resolve) => {
    stream.on("close", resolve);
    stream.on("error", () => resolve());
    if (stream.closed) resolve();
  });
  return tail.text();
}

import { spawn } from "node:child_process";
import path from "node:path";
import type { DyingWorkerParams } from "./dying-worker.ts";

const PROGRAM = path.join(import.meta.dirname, "dying-worker.ts");

export interface Died {
  /** Kinds of the entries that it had in hand at the point. */
  readonly arrived: readonly string[];
  /** Entries that it could take. */
  readonly entries: number;
  /** All that the product has. */
  readonly kinds: readonly string[];
}

/** Runs an outbox worker in a process of its own until that SIGKILLs itself at the point. */
export function dieAt(params: DyingWorkerParams): Promise<Died> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(params)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(JSON.parse(said) as Died);
      else reject(new Error(`the worker did not come to ${params.point}: ${signal ?? code ?? "?"} ${said}`));
    });
  });
}

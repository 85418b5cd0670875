import { open } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  type Clock,
  ensurePrivateDirectory,
  isProcessAlive,
  processStartTicks,
  spawnProcess,
} from "../../base/index.ts";
import { boundFile, readTail } from "./bounded-file.ts";
import { endProcess } from "./end-process.ts";
import { openProcessRegistry, type ProcessEntry } from "./process-registry.ts";
import type { SlotProcess, SlotRuntime, StartSlot } from "./slot-runtime.ts";

interface ProcessRuntimeParams {
  /** Registry and output files go to `slots/` in it. */
  readonly runDir: string;
  readonly clock: Clock;
  /** Output kept per slot; checked at each `list` and `capture`. Default 4 MiB. */
  readonly maxLogBytes?: number;
}

const COLUMNS = 120;
const ROWS = 40;
const TAIL_BYTES = 64 * 1024;
const DEFAULT_MAX_LOG_BYTES = 4 * 1024 * 1024;
const DEFAULT_GRACE_MS = 2000;

/** Detached processes with their output in files, for machines without tmux. Nothing can be typed into them. */
export function createProcessRuntime(params: Readonly<ProcessRuntimeParams>): SlotRuntime {
  const directory = path.join(params.runDir, "slots");
  const registry = openProcessRegistry(directory);
  const maxLogBytes = params.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES;
  let queue: Promise<unknown> = Promise.resolve();
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };

  const look = async (entry: ProcessEntry): Promise<SlotProcess> => ({
    slot: entry.slot,
    pid: entry.pid,
    dead: !(await isProcessAlive(entry.pid, entry.startTicks)),
  });

  const end = async (slot: string, graceMs: number): Promise<void> => {
    const entry = await registry.read(slot);
    if (entry === null) return;
    await endProcess({ pid: entry.pid, startTicks: entry.startTicks, graceMs, clock: params.clock });
  };

  const spawn = async (spec: Readonly<StartSlot>): Promise<SlotProcess> => {
    await ensurePrivateDirectory(directory);
    const [program, ...args] = spec.command;
    if (program === undefined)
      throw new AppError({ code: "internal.bug", message: "An empty command cannot be started." });
    const output = await open(registry.logFile(spec.slot), "a", 0o600);
    try {
      const child = spawnProcess(program, args, {
        env: { ...spec.env },
        detached: true,
        stdio: ["ignore", output.fd, output.fd],
      });
      const pid = await startedPid(child, program);
      // A program that ended within this instant has no ticks; any value marks it dead.
      const startTicks = (await processStartTicks(pid)) ?? "0";
      await registry.write({ slot: spec.slot, pid, startTicks });
      return await look({ slot: spec.slot, pid, startTicks });
    } finally {
      await output.close();
    }
  };

  return {
    kind: "process",
    ensureServer: () => ensurePrivateDirectory(directory),
    list: async () => {
      const entries = await registry.all();
      await Promise.all(entries.map((entry) => boundFile(registry.logFile(entry.slot), maxLogBytes)));
      return Promise.all(entries.map(look));
    },
    start: (spec) =>
      exclusive(async () => {
        const entry = await registry.read(spec.slot);
        const known = entry === null ? null : await look(entry);
        return known !== null && !known.dead ? known : spawn(spec);
      }),
    restart: (spec) =>
      exclusive(async () => {
        await end(spec.slot, 0);
        return spawn(spec);
      }),
    stop: (slot, graceMs = DEFAULT_GRACE_MS) =>
      exclusive(async () => {
        await end(slot, graceMs);
        await registry.remove(slot);
      }),
    capture: async (slot) => {
      if ((await registry.read(slot)) === null) return null;
      await boundFile(registry.logFile(slot), maxLogBytes);
      const tail = await readTail(registry.logFile(slot), TAIL_BYTES);
      const lines = tail.replaceAll("\r", "").replace(/\n$/, "").split("\n");
      return { columns: COLUMNS, rows: ROWS, content: lines.slice(-ROWS).join("\n") };
    },
    attachCommand: () => Promise.resolve(null),
    stopAll: () =>
      exclusive(async () => {
        await Promise.all(
          (await registry.all()).map(async ({ slot }) => {
            await end(slot, DEFAULT_GRACE_MS);
            await registry.remove(slot);
          }),
        );
      }),
  };
}

function startedPid(child: ReturnType<typeof spawnProcess>, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new AppError({
          code: "tool.missing",
          message: `"${program}" could not be started: ${cause.message}`,
          cause,
        }),
      ),
    );
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}

import path from "node:path";
import { z } from "zod";
import {
  type Clock,
  isProcessAlive,
  processStartTicks,
  readFileIfExists,
  writeFileAtomic,
} from "../../base/index.ts";
import { endProcess } from "../runtimes/index.ts";

const holder = z.object({ pid: z.number().int().positive(), startTicks: z.string() });
export type SlotHolder = z.infer<typeof holder>;

/** Makes sure that one host at a time works on a slot's spool. The newest wins: an older one, hung or stopped, is killed. */
export interface SlotLock {
  readonly holder: SlotHolder;
  /** False where a newer host has taken the slot over. */
  isHeld(): Promise<boolean>;
}

/** @throws Error where the older host cannot be killed */
export async function takeSlot(directory: string, clock: Clock): Promise<SlotLock> {
  const file = path.join(directory, "host.json");
  const own = { pid: process.pid, startTicks: (await processStartTicks(process.pid)) ?? "0" };
  const old = await readHolder(file);
  if (old !== null && old.pid !== own.pid && (await isProcessAlive(old.pid, old.startTicks))) {
    const isDead = await endProcess({ pid: old.pid, startTicks: old.startTicks, graceMs: 0, clock });
    if (!isDead) throw new Error(`The earlier host (pid ${old.pid}) does not die.`);
  }
  await writeFileAtomic(file, JSON.stringify(own));
  return {
    holder: own,
    isHeld: async () => {
      const current = await readHolder(file);
      return current?.pid === own.pid && current.startTicks === own.startTicks;
    },
  };
}

async function readHolder(file: string): Promise<SlotHolder | null> {
  try {
    const text = await readFileIfExists(file);
    return text === null ? null : holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

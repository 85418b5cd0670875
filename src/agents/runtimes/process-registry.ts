import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ensurePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../base/index.ts";

const entry = z.object({ slot: z.string(), pid: z.number().int().positive(), startTicks: z.string() });
export type ProcessEntry = z.infer<typeof entry>;

/** Which process serves which slot, on disk: one small file per slot, replaced atomically. */
export interface ProcessRegistry {
  read(slot: string): Promise<ProcessEntry | null>;
  all(): Promise<readonly ProcessEntry[]>;
  write(entry: ProcessEntry): Promise<void>;
  remove(slot: string): Promise<void>;
  /** Where the slot's output goes. */
  logFile(slot: string): string;
}

export function openProcessRegistry(directory: string): ProcessRegistry {
  const file = (slot: string): string => path.join(directory, `${slot}.json`);
  const read = async (slot: string): Promise<ProcessEntry | null> => {
    const text = await readFileIfExists(file(slot));
    if (text === null) return null;
    try {
      return entry.parse(JSON.parse(text));
    } catch {
      // Unreadable means unusable; the next start writes it anew.
      return null;
    }
  };
  return {
    read,
    all: async () => {
      const names = await readdir(directory).catch(() => []);
      const slots = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
      const entries = await Promise.all(slots.sort().map(read));
      return entries.filter((found) => found !== null);
    },
    write: async (value) => {
      await ensurePrivateDirectory(directory);
      await writeFileAtomic(file(value.slot), JSON.stringify(value));
    },
    remove: async (slot) => {
      await rm(file(slot), { force: true });
      await rm(path.join(directory, `${slot}.log`), { force: true });
    },
    logFile: (slot) => path.join(directory, `${slot}.log`),
  };
}

import { createHash } from "node:crypto";
import { link, readdir } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { AppError, diskError, errnoOf, readFileIfExists } from "../../base/index.ts";
import { removeFile, writeOwned } from "./files.ts";
import { FORMATS, type Change, type FormatName } from "./formats/index.ts";
import type { Place, ToolName } from "./tools/index.ts";

const step = z.union([z.string(), z.strictObject({ field: z.string(), is: z.string() })]);
const formatName = z.custom<FormatName>((name) => typeof name === "string" && Object.hasOwn(FORMATS, name));

const record = z.strictObject({
  version: z.literal(1),
  at: z.string(),
  /** Key that was made for this change; null: one that was there before is used. */
  madeKeyId: z.string().nullable(),
  /** Model that was written; null: none. */
  model: z.string().nullable(),
  files: z.array(
    z.strictObject({
      file: z.string(),
      format: formatName,
      /** Every byte of it before the change, base64; null: there was no file. */
      before: z.string().nullable(),
      mode: z.number().int().nullable(),
      /** SHA-256 of what was written. */
      after: z.string(),
      paths: z.array(z.array(step)),
    }),
  ),
});

/** The backup of one change: what the files were before it. */
export type Backup = z.infer<typeof record>;
export type BackupFile = Backup["files"][number];

/** Backups of the changes to one tool's files, oldest first; private to the person, because the files may hold keys. */
export interface Journal {
  list(): Promise<readonly Backup[]>;
  /** Before the files are touched: whatever happens then can be undone. */
  add(backup: Backup): Promise<void>;
  removeLast(): Promise<void>;
}

export function openJournal(place: Place, tool: ToolName): Journal {
  const state = place.env["XDG_STATE_HOME"] ?? "";
  const root = state === "" ? path.join(place.home, ".local", "state") : state;
  const directory = path.join(root, "miyabi", "setup", tool);
  const names = async (): Promise<readonly string[]> => {
    const entries = await readdir(directory).catch(() => []);
    return entries.filter((name) => /^\d{6}\.json$/.test(name)).toSorted();
  };
  return {
    list: async () => Promise.all((await names()).map((name) => readBackup(path.join(directory, name)))),
    add: async (backup) => {
      const draft = path.join(directory, `draft-${process.pid}`);
      await writeOwned(draft, Buffer.from(`${JSON.stringify(backup, null, 1)}\n`), 0o600);
      // A link, unlike a rename, never takes the place of another process's backup.
      for (let number = numberOf((await names()).at(-1)) + 1; ; number += 1)
        if (await isLinked(draft, path.join(directory, `${String(number).padStart(6, "0")}.json`))) break;
      await removeFile(draft);
    },
    removeLast: async () => {
      const last = (await names()).at(-1);
      if (last !== undefined) await removeFile(path.join(directory, last));
    },
  };
}

const numberOf = (name = "0"): number => Number.parseInt(name, 10);

/** False: the name is taken. */
async function isLinked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw diskError(file, error);
  }
}

export const digestOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

export const pathsOf = (changes: readonly Change[]): BackupFile["paths"] =>
  changes.map((change) => [...change.path]);

async function readBackup(file: string): Promise<Backup> {
  const text = await readFileIfExists(file);
  try {
    return record.parse(JSON.parse(text ?? ""));
  } catch (error) {
    throw new AppError({
      code: "config.invalid",
      message: `The backup ${file} cannot be read.`,
      fix: `Move it away if it is not needed: mv ${file} ${file}.old`,
      cause: error,
    });
  }
}

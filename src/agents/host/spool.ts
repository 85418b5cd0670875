import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  diskError,
  ensurePrivateDirectory,
  parseJson,
  readFileIfExists,
  writeFileAtomic,
} from "../../base/index.ts";
import { transcriptItem, type TranscriptItem } from "../../contract/index.ts";
import { runSpec, type RunSpec } from "../protocol.ts";
import { type Journal, openJournal } from "./journal.ts";
import { spoolRecord, type SpoolRecord } from "./spool-record.ts";
import { applyRecord, emptySpoolState, recordsOf, type SpoolState } from "./spool-state.ts";

/** Everything that a host must not forget about its one run. */
export interface RunSpool {
  readonly spec: RunSpec;
  readonly state: Readonly<SpoolState>;
  /** Adds a record to the state and to the journal. */
  record(entry: SpoolRecord): void;
  flush(): Promise<void>;
  sync(): Promise<void>;
  /** Lets go of the files; the run stays. */
  close(): Promise<void>;
  /** Forgets the run: the directory is gone afterwards. What it said last stays for the pane. */
  remove(): Promise<void>;
}

/** The directory of one slot: at most one run at a time. */
export interface SlotSpool {
  /** The run that an earlier host left, or null. */
  load(): Promise<RunSpool | null>;
  /** Writes down a new run; from then on it survives this process. */
  create(spec: RunSpec): Promise<RunSpool>;
  /** The last items of the last run, for the pane. */
  recent(): Promise<readonly TranscriptItem[]>;
  /** A file beside the runs, e.g. the host's log. */
  file(name: string): string;
}

const SPEC = "spec.json";
const JOURNAL = "journal.jsonl";
const RECENT = "recent.json";
/** Past this the journal is rewritten to what still counts. */
const COMPACT_BYTES = 16 * 1024 * 1024;

/** Opens the spool of a slot. `directory` belongs to that slot alone; a token is in it, so it is private. */
export async function openSlotSpool(directory: string): Promise<SlotSpool> {
  await ensurePrivateDirectory(directory);
  const runDir = path.join(directory, "run");
  const freshDir = path.join(directory, "run.new");
  const goneDir = path.join(directory, "run.removed");
  const removeDir = async (target: string): Promise<void> => rm(target, { recursive: true, force: true });

  const opened = async (spec: RunSpec): Promise<RunSpool> => {
    const remove = async (state: Readonly<SpoolState>): Promise<void> => {
      await writeFile(path.join(directory, RECENT), JSON.stringify(state.recent), { mode: 0o600 }).catch(
        () => {},
      );
      await removeDir(goneDir);
      // In one step, so that no half-deleted run is ever found.
      await rename(runDir, goneDir);
      await removeDir(goneDir);
    };
    return openRun({ runDir, spec, remove });
  };

  return {
    load: async () => {
      await removeDir(goneDir);
      await removeDir(freshDir);
      const text = await readFileIfExists(path.join(runDir, SPEC));
      const parsed = text === null ? null : runSpec.safeParse(parseJson(text));
      if (parsed === null) return null;
      if (!parsed.success) {
        // Written by another version: nobody can continue it, and its lease runs out by itself.
        await removeDir(runDir);
        return null;
      }
      return opened(parsed.data);
    },
    create: async (spec) => {
      try {
        await removeDir(freshDir);
        await mkdir(freshDir, { mode: 0o700 });
        await writeFileAtomic(path.join(freshDir, SPEC), JSON.stringify(spec));
        await rename(freshDir, runDir);
      } catch (error) {
        throw diskError(runDir, error);
      }
      return opened(spec);
    },
    recent: async () => {
      const text = await readFileIfExists(path.join(directory, RECENT));
      const parsed = transcriptItem.array().safeParse(text === null ? [] : parseJson(text));
      return parsed.success ? parsed.data : [];
    },
    file: (name) => path.join(directory, name),
  };
}

interface OpenRunParams {
  readonly runDir: string;
  readonly spec: RunSpec;
  readonly remove: (state: Readonly<SpoolState>) => Promise<void>;
}

async function openRun({ runDir, spec, remove }: OpenRunParams): Promise<RunSpool> {
  const file = path.join(runDir, JOURNAL);
  const state = emptySpoolState();
  const first = await openJournal(file);
  for (const line of first.records) {
    const parsed = spoolRecord.safeParse(line);
    if (parsed.success) applyRecord(state, parsed.data);
  }
  let journal: Journal = first.journal;
  let compacting: Promise<void> | null = null;
  let removed = false;

  /** The new file holds a snapshot; what is recorded while it is written goes to both. */
  const compact = async (): Promise<void> => {
    const fresh = `${file}.new`;
    await rm(fresh, { force: true });
    const next = (await openJournal(fresh)).journal;
    for (const entry of recordsOf(state)) next.append(entry);
    const old = journal;
    pending = next;
    await next.sync();
    await rename(fresh, file);
    journal = next;
    pending = null;
    await old.close();
  };
  let pending: Journal | null = null;

  return {
    spec,
    state,
    record: (entry) => {
      if (removed) return;
      applyRecord(state, entry);
      journal.append(entry);
      pending?.append(entry);
      if (journal.sizeBytes() > COMPACT_BYTES)
        compacting ??= compact()
          .catch(() => {
            pending = null;
          })
          .finally(() => {
            compacting = null;
          });
    },
    flush: () => journal.flush(),
    sync: () => journal.sync(),
    close: async () => {
      await compacting;
      await journal.close();
    },
    remove: async () => {
      if (removed) return;
      removed = true;
      await compacting;
      await journal.close();
      await remove(state);
    },
  };
}

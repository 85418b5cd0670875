import { open, type FileHandle } from "node:fs/promises";
import { diskError } from "../../base/index.ts";

/** An append-only file of JSON lines that survives a kill at any moment: what was cut off in the middle is removed at the next opening. */
export interface Journal {
  /** Queues a record; lines queued while a write is under way go out together in the next one. */
  append(record: unknown): void;
  /** Resolves when everything appended so far is in the file (safe from the end of this process). @throws disk.full, disk.not_writable */
  flush(): Promise<void>;
  /** Like `flush`, and on the disk (safe from the end of the machine). Only worth its time where the next step must not be lost. */
  sync(): Promise<void>;
  /** Bytes in the file and in the queue. */
  sizeBytes(): number;
  close(): Promise<void>;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** All complete records, oldest first. */
  readonly records: readonly unknown[];
}

const NEWLINE = 10;

/** Opens or creates a journal. */
export async function openJournal(file: string): Promise<OpenedJournal> {
  const handle = await open(file, "a+", 0o600).catch((error: unknown) => {
    throw diskError(file, error);
  });
  const content = await handle.readFile();
  const { records, validBytes } = parseLines(content);
  if (validBytes < content.length) await handle.truncate(validBytes);
  return { journal: createJournal(file, handle, validBytes), records };
}

/** A power cut can leave zeros or half a line; everything from the first unreadable line on is worthless. */
function parseLines(content: Buffer): { readonly records: unknown[]; readonly validBytes: number } {
  const records: unknown[] = [];
  let start = 0;
  for (;;) {
    const end = content.indexOf(NEWLINE, start);
    if (end === -1) return { records, validBytes: start };
    try {
      records.push(JSON.parse(content.toString("utf8", start, end)));
    } catch {
      return { records, validBytes: start };
    }
    start = end + 1;
  }
}

function createJournal(file: string, handle: FileHandle, startBytes: number): Journal {
  let queued: string[] = [];
  let sizeBytes = startBytes;
  let writtenBytes = startBytes;
  let isTorn = false;
  let writing: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    while (queued.length > 0) {
      const text = queued.join("");
      queued = [];
      try {
        if (isTorn) await handle.truncate(writtenBytes);
        isTorn = true;
        await handle.appendFile(text);
        isTorn = false;
        writtenBytes += Buffer.byteLength(text);
      } catch (error) {
        // A full disk may have taken a part: that is cut off before the next try writes all of it again.
        queued = [text, ...queued];
        throw diskError(file, error);
      }
    }
  };
  const flush = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  };

  return {
    append: (record) => {
      const line = `${JSON.stringify(record)}\n`;
      queued.push(line);
      sizeBytes += Buffer.byteLength(line);
      // Failures reach whoever flushes; nobody waits for this one.
      flush().catch(() => {});
    },
    flush,
    sync: async () => {
      await flush();
      await handle.datasync();
    },
    sizeBytes: () => sizeBytes,
    close: async () => {
      await flush().catch(() => {});
      await handle.close().catch(() => {});
    },
  };
}

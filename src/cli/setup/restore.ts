import { FORMATS, valueAt, type Change, type Json } from "./formats/index.ts";
import { look, removeFile, writeOwned } from "./files.ts";
import { digestOf, type BackupFile } from "./journal.ts";

/** `exactly`: every byte as before; `merged`: it was edited since, and only what we had set was set back. */
export type Restored = "exactly" | "merged" | "removed" | "untouched";

/**
 * Puts one file back. Repeatable: a crash in between leaves either state, and both are recognised.
 * @throws config.invalid where it was edited since and can no longer be read
 */
export async function restoreFile(backup: BackupFile): Promise<Restored> {
  const now = await look(backup.file);
  const before = backup.before === null ? null : Buffer.from(backup.before, "base64");
  const mode = backup.mode ?? 0o600;
  if (now.content === null) {
    // Whoever took the file away did so after us; what was in it before is the person's.
    if (before === null) return "untouched";
    await writeOwned(backup.file, before, mode);
    return "exactly";
  }
  if (before !== null && now.content.equals(before) && now.mode === mode) return "untouched";
  if (digestOf(now.content) === backup.after || (before !== null && now.content.equals(before))) {
    if (before === null) {
      await removeFile(backup.file);
      return "removed";
    }
    await writeOwned(backup.file, before, mode);
    return "exactly";
  }
  const format = FORMATS[backup.format];
  const old = format.read(before?.toString("utf8") ?? "", backup.file);
  const text = format.edit(now.content.toString("utf8"), reversed(backup.paths, old), backup.file);
  await writeOwned(
    backup.file,
    Buffer.from(withoutEmptied(text, backup, old)),
    backup.mode ?? now.mode ?? mode,
  );
  return "merged";
}

function reversed(paths: BackupFile["paths"], old: Json): readonly Change[] {
  return paths.map((path) => ({ path, value: valueAt(old, path) }));
}

/** Mappings and entries that stand on our paths, were not there before and hold nothing more, go too. */
function withoutEmptied(text: string, { paths, format: name, file }: BackupFile, old: Json): string {
  const format = FORMATS[name];
  const parents = new Map(
    paths.flatMap((path) =>
      path
        .slice(1)
        .map((_, index) => path.slice(0, index + 1))
        .map((parent) => [JSON.stringify(parent), parent] as const),
    ),
  );
  let left = text;
  for (const parent of [...parents.values()].toSorted((a, b) => b.length - a.length)) {
    if (valueAt(old, parent) !== undefined) continue;
    const there = valueAt(format.read(left, file), parent);
    if (isLeftover(there, parent.at(-1)))
      left = format.edit(left, [{ path: parent, value: undefined }], file);
  }
  return left;
}

function isLeftover(value: Json | undefined, step: BackupFile["paths"][number][number] | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  const names = Object.keys(value);
  return names.length === 0 || (typeof step === "object" && names.length === 1 && names[0] === step.field);
}

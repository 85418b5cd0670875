import { stat } from "node:fs/promises";
import { AppError } from "../../base/index.ts";
import { findFile, requireOwner, type FoundFile } from "./files.ts";
import { FORMATS, valueAt, type Change, type FormatName } from "./formats/index.ts";
import type { Facts, Place, Tool } from "./tools/index.ts";

/** What is to become of one file. */
export interface PlannedFile {
  readonly found: FoundFile;
  readonly format: FormatName;
  readonly changes: readonly Change[];
  readonly before: string;
  readonly after: string;
  /** Only its owner may read it where a key stands in it; else as it was. */
  readonly mode: number;
}

const PRIVATE = 0o600;
const USUAL = 0o644;

/** Reads the tool's files and says what they become; writes nothing. @throws config.invalid where one cannot be read or changed */
export async function planFiles(tool: Tool, place: Place, facts: Facts): Promise<readonly PlannedFile[]> {
  const planned: PlannedFile[] = [];
  for (const target of tool.targets(place, facts)) {
    const found = await findFile(target.files);
    if (place.isOfAnother) await requireOwner(found.file, place.home);
    if (found.content === null) await refuseLegacy(tool, place);
    const format = FORMATS[target.format];
    const before = textOf(found);
    const changes = target.changes(format.read(before, found.file));
    const holdsKey = changes.some((change) => change.value === facts.key);
    planned.push({
      found,
      format: target.format,
      changes,
      before,
      after: format.edit(before, changes, found.file),
      mode: holdsKey ? PRIVATE : (found.mode ?? USUAL),
    });
  }
  return planned;
}

/** A key of the gateway that stands already where one is to be written; null: none. */
export function keyInPlace(files: readonly PlannedFile[], placeholder: string): string | null {
  for (const { changes, before, format, found } of files)
    for (const { path, value } of changes) {
      if (value !== placeholder) continue;
      const there = valueAt(FORMATS[format].read(before, found.file), path);
      if (typeof there === "string" && /^mk-[\w-]+$/.test(there)) return there;
    }
  return null;
}

export const isChanged = ({ found, before, after, mode }: PlannedFile): boolean =>
  found.content === null || before !== after || (found.mode !== null && found.mode !== mode);

function textOf({ content, file }: FoundFile): string {
  if (content === null) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch (error) {
    throw new AppError({
      code: "config.invalid",
      message: `${file} is no UTF-8 text. Nothing was changed.`,
      fix: `Save ${file} as UTF-8, then run this again.`,
      cause: error,
    });
  }
}

async function refuseLegacy({ legacy }: Tool, place: Place): Promise<void> {
  if (legacy === undefined) return;
  const file = legacy.file(place);
  if ((await stat(file).catch(() => null)) === null) return;
  throw new AppError({
    code: "config.invalid",
    message: `${file}: ${legacy.what}. Nothing was changed.`,
    fix: legacy.fix,
  });
}

import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  createLoop,
  messageOf,
  parseYaml,
  type Clock,
  type Log,
  type Loop,
  type Random,
} from "../base/index.ts";
import { persona, type Persona } from "./persona.ts";

export interface Personas extends Loop {
  /** In alphabetical order of their names. */
  list(): readonly Persona[];
  /** By name, whatever its case; null where there is none (any more). */
  find(name: string): Persona | null;
  /** What is wrong with files now: source, line, field, what is expected. Their last good content stays in use. */
  problems(): readonly string[];
}

interface PersonasParams {
  /** Read in this order; a persona replaces one of the same name from an earlier directory. A missing directory is empty. */
  readonly directories: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Known {
  readonly directory: string;
  readonly stamp: string;
  /** The last good content; null: it was never good. */
  readonly good: Persona | null;
  readonly problem: string | null;
}

const LOOK_MS = 1_000;
const MOST_FILES = 200;
const LARGEST_BYTES = 64 * 1024;

/** Follows `*.yaml` of the directories while the product runs: what changes there holds for the next answer. */
export function watchPersonas(params: Readonly<PersonasParams>): Personas {
  const { log } = params;
  let files: ReadonlyMap<string, Known> = new Map();
  let byName: ReadonlyMap<string, Persona> = new Map();
  let problems: readonly string[] = [];

  const read = async (directory: string, file: string): Promise<Known> => {
    const before = files.get(file);
    const stamp = await stampOf(file);
    if (before?.stamp === stamp) return before;
    try {
      const text = await readFile(file, "utf8");
      if (Buffer.byteLength(text) > LARGEST_BYTES)
        throw new AppError({ code: "config.invalid", message: `${file}:1: larger than 64 KiB.` });
      const good = parseYaml({ text, source: file, schema: persona, code: "config.invalid" });
      if (before !== undefined) log.info({ file }, "persona read again");
      return { directory, stamp, good, problem: null };
    } catch (error) {
      const problem = messageOf(error);
      log.error({ file, error: problem }, "persona not read: its last good content stays");
      return { directory, stamp, good: before?.good ?? null, problem };
    }
  };

  const arrange = (): void => {
    const found = new Map<string, { readonly persona: Persona; readonly directory: string; file: string }>();
    const wrong: string[] = [];
    for (const [file, { directory, good, problem }] of files) {
      if (problem !== null) wrong.push(problem);
      if (good === null) continue;
      const key = keyOf(good.name);
      const other = found.get(key);
      if (other?.directory === directory)
        wrong.push(`${file}: name "${good.name}" is that of ${other.file} already.`);
      else found.set(key, { persona: good, directory, file });
    }
    byName = new Map([...found].map(([key, one]) => [key, one.persona]));
    problems = wrong;
  };

  const loop = createLoop({
    name: "personas",
    intervalMs: LOOK_MS,
    clock: params.clock,
    random: params.random,
    log,
    tick: async () => {
      const next = new Map<string, Known>();
      for (const directory of params.directories)
        for (const file of await filesOf(directory)) next.set(file, await read(directory, file));
      files = next;
      arrange();
    },
  });

  return {
    ...loop,
    start: async () => {
      await loop.tick();
      await loop.start();
    },
    list: () => [...byName.values()].toSorted((a, b) => a.name.localeCompare(b.name)),
    find: (name) => byName.get(keyOf(name)) ?? null,
    problems: () => problems,
  };
}

const keyOf = (name: string): string => name.normalize("NFKC").trim().toLowerCase();

async function filesOf(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith("."))
    .toSorted()
    .slice(0, MOST_FILES)
    .map((name) => path.join(directory, name));
}

/** Changes when the file does. */
async function stampOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => null);
  return found === null ? "none" : `${found.mtimeMs}:${found.size}:${found.ino}`;
}

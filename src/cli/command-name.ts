import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { AppError } from "../base/index.ts";
import { isCommandName } from "./catalog.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Text as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `bin/miyabi.cjs` of this installation, whether it runs from the bundle or from the sources. */
export function launcherFile(): string {
  for (let directory = import.meta.dirname; ; directory = path.dirname(directory)) {
    const file = path.join(directory, "bin", "miyabi.cjs");
    if (existsSync(file)) return file;
    if (directory === path.dirname(directory))
      throw new AppError({
        code: "internal.bug",
        message: "bin/miyabi.cjs is missing in this installation.",
      });
  }
}

/** How a person calls this installation in a shell: `miyabi` where the PATH leads to it, else `node …/bin/miyabi.cjs`. */
export function commandName(env: Env, launcher: string = launcherFile()): string {
  const real = realpathSync(launcher);
  for (const directory of (env["PATH"] ?? "").split(":")) {
    if (!path.isAbsolute(directory)) continue;
    const found = realPathOf(path.join(directory, "miyabi"));
    // The first one on the PATH is the one that a shell runs.
    if (found !== null) return found === real ? "miyabi" : `node ${quoteForShell(launcher)}`;
  }
  return `node ${quoteForShell(launcher)}`;
}

function realPathOf(file: string): string | null {
  try {
    return realpathSync(file);
  } catch {
    return null;
  }
}

/** Replaces `miyabi` by `name` where a text says a command of ours, so that it runs when pasted; other mentions stay. */
export function withCommandName(text: string, name: string): string {
  return text.replaceAll(
    /(^|[\s`(;&|:])miyabi (?=(--help|[a-z]+)\b)/g,
    (whole: string, before: string, word: string) =>
      word === "--help" || isCommandName(word) ? `${before}${name} ` : whole,
  );
}

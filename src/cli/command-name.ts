import { existsSync } from "node:fs";
import path from "node:path";
import { AppError } from "../base/index.ts";
import { isCommandName } from "./catalog.ts";

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

/** Replaces `miyabi` by `name` where a text says a command of ours, so that it runs when pasted; other mentions stay. */
export function withCommandName(text: string, name: string): string {
  return text.replaceAll(
    /(^|[\s`(;&|:])miyabi (?=(--help|[a-z]+)\b)/g,
    (whole: string, before: string, word: string) =>
      word === "--help" || isCommandName(word) ? `${before}${name} ` : whole,
  );
}

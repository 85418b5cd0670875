import { realpathSync } from "node:fs";
import path from "node:path";
import { resolveHome } from "./home.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Text as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * How a person calls this installation in a shell: `miyabi` where the PATH leads to it, else `node …/bin/miyabi.cjs`;
 * before it the data directory where that is not the default, because the next shell may not have it.
 */
export function commandName(env: Env, launcher: string): string {
  const { root } = resolveHome(env);
  const isDefault = resolveHome({ ...env, MIYABI_HOME: undefined }).root === root;
  return `${isDefault ? "" : `MIYABI_HOME=${quoteForShell(root)} `}${programName(env, launcher)}`;
}

function programName(env: Env, launcher: string): string {
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

import { access, constants } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

interface FindParams {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the installation's `.env`. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Variables that may hold a key. */
  readonly names: readonly string[];
}

export interface Credentials {
  /** Names of the variables that hold something. */
  readonly keys: readonly string[];
  /** Agents whose own plan login is on this machine. */
  readonly logins: readonly string[];
}

const LOGIN_FILES = [
  ["claude", ".claude/.credentials.json"],
  ["codex", ".codex/auth.json"],
  ["copilot", ".config/github-copilot/apps.json"],
  ["gemini", ".gemini/oauth_creds.json"],
] as const;

/** What an agent could be paid with: looks whether keys and logins exist, reads none. */
export async function findCredentials({ env, secrets, names }: Readonly<FindParams>): Promise<Credentials> {
  const keys = names.filter((name) => (secrets.get(name) ?? "") !== "" || (env[name] ?? "") !== "");
  const home = env["HOME"] ?? os.homedir();
  const logins = await Promise.all(
    LOGIN_FILES.map(async ([agent, file]) => {
      const exists = await access(path.join(home, file), constants.R_OK).then(
        () => true,
        () => false,
      );
      return exists ? [agent] : [];
    }),
  );
  return { keys: [...new Set(keys)], logins: logins.flat() };
}

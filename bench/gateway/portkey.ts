import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const PORTKEY_VERSION = "1.15.2";
/** The versions that it was released with; newer ones of these break it. */
const MANIFEST = {
  private: true,
  dependencies: { "@portkey-ai/gateway": PORTKEY_VERSION },
  overrides: { "@hono/node-server": "1.13.5", hono: "4.9.7" },
};
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/** Program of Portkey's gateway, installed from npm into the user's cache with the first benchmark; a text says why not. */
export async function installPortkey(
  note: (text: string) => void,
): Promise<{ readonly program: string } | { readonly skipped: string }> {
  const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  const folder = path.join(cache, "miyabi-bench");
  const directory = path.join(folder, `portkey-${PORTKEY_VERSION}`);
  const program = path.join(directory, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
  if (await exists(program)) return { program };
  note(`installing @portkey-ai/gateway@${PORTKEY_VERSION} into ${directory}`);
  await mkdir(folder, { recursive: true });
  const partial = await mkdtemp(`${directory}.partial-`);
  try {
    await writeFile(path.join(partial, "package.json"), JSON.stringify(MANIFEST));
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: partial,
      timeout: INSTALL_TIMEOUT_MS,
    });
    // Another benchmark may have put the same there meanwhile.
    await rename(partial, directory).catch(() => {});
  } catch (error) {
    return { skipped: `Portkey cannot be installed from npm (${String(error).split("\n")[0]})` };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return { program };
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

import { access, readdir } from "node:fs/promises";
import path from "node:path";
import { createLoop, type Clock, type Home, type Log, type Loop, type Random } from "../base/index.ts";
import { collectClones, compactCache, type Git, removeTree, sweepWorkDir } from "../repositories/index.ts";
import { sessionDirectories } from "../agents/index.ts";
import type { Database } from "../store/index.ts";

interface HousekeepingParams {
  readonly database: Database;
  readonly git: Git;
  readonly home: Home;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const EVERY_MS = 10 * 60_000;
// A directory can be older than the transaction that names it by the time of one claim; an hour is far beyond.
const MIN_AGE_MS = 60 * 60_000;

const KEPT = `
select 'checkout-' || id as name from miyabi.runs where state in ('queued', 'leased', 'running')`;

/** Removes directories that a killed process left behind: clones that no session and no run knows. Returns their names. */
export async function collectStrays(
  params: Readonly<Pick<HousekeepingParams, "database" | "git" | "home">>,
  minAgeMs: number = MIN_AGE_MS,
): Promise<readonly string[]> {
  const { rows } = await params.database.query<{ name: string }>(KEPT);
  return collectClones(params.git, {
    sessionsDir: params.home.sessionsDir,
    keep: new Set([...rows.map((row) => row.name), ...(await sessionDirectories(params.database))]),
    minAgeMs,
  });
}

const CHECKOUT = /^checkout-(R\d+)$/;

/**
 * Removes the checkouts of runs that have ended: their host was killed before it could. Nobody uses one again, because
 * its name is that of the run. What still resists (its last process is just ending) goes with the next call.
 */
export async function collectCheckouts(
  params: Readonly<Pick<HousekeepingParams, "database" | "git" | "home">>,
): Promise<void> {
  const names = await readdir(params.home.sessionsDir).catch(() => []);
  const runs = names.flatMap((name) => CHECKOUT.exec(name)?.[1] ?? []);
  if (runs.length === 0) return;
  const { rows } = await params.database.query<{ id: string }>(
    "select id from miyabi.runs where id = any($1) and state not in ('queued', 'leased', 'running')",
    [runs],
  );
  for (const { id } of rows)
    await removeTree(params.git, {
      directory: path.join(params.home.sessionsDir, `checkout-${id}`),
    }).catch(() => {});
}

/** Keeps the disk tidy beside the work: stray clones, caches with too many loose objects. */
export function createHousekeeping(params: Readonly<HousekeepingParams>): Loop {
  const { git, home, log } = params;
  return createLoop({
    name: "housekeeping",
    intervalMs: EVERY_MS,
    clock: params.clock,
    random: params.random,
    log,
    tick: async (signal) => {
      const strays = await collectStrays(params);
      if (strays.length > 0) log.info({ directories: strays }, "stray clones removed");
      for (const cachePath of await caches(home.repositoriesDir)) {
        if (signal.aborted) return;
        await compactCache(git, { cachePath });
      }
    },
  });
}

/** Removes what killed operations left beside the caches. Only before anything works with them. */
export async function sweepCaches(params: Readonly<Pick<HousekeepingParams, "git" | "home">>): Promise<void> {
  for (const cachePath of await caches(params.home.repositoriesDir))
    await sweepWorkDir(params.git, { cachePath });
}

async function caches(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith(".git"))
      .map(async (name) => {
        const cachePath = path.join(directory, name);
        const isCache = await access(path.join(cachePath, "HEAD")).then(
          () => true,
          () => false,
        );
        return isCache ? [cachePath] : [];
      }),
  );
  return found.flat();
}

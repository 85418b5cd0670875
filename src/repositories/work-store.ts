import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { withWorkDir } from "./cache.ts";
import { resolveCommit, type Git } from "./git.ts";
import { importBundle } from "./import-bundle.ts";

interface Work {
  readonly cachePath: string;
  readonly taskId: string;
  readonly commit: string;
}

/** Work that was handed over on one machine and is needed on another. */
export interface WorkStore {
  /** Keeps the commits of a task on top of `base`; what was kept of it before is replaced. Repeatable. */
  keep(work: Readonly<Work & { base: string }>): Promise<void>;
  /** Makes sure that the cache has a commit of the task. @throws not_found where no machine has kept it. */
  bring(work: Readonly<Work>): Promise<void>;
}

/** With one machine its caches have everything: nothing is kept and nothing brought. */
export const NO_WORK_STORE: WorkStore = { keep: () => Promise.resolve(), bring: () => Promise.resolve() };

/** Keeps work in the database that all machines share. */
export function createWorkStore(params: Readonly<{ database: Database; git: Git }>): WorkStore {
  const { database, git } = params;
  return {
    keep: async ({ cachePath, taskId, commit, base }) => {
      if (commit === base) return;
      const bundle = await bundleOf(git, { cachePath, commit, base });
      await database.query(
        `insert into miyabi.handovers (task_id, commit, base, bundle) values ($1, $2, $3, $4)
         on conflict (task_id) do update set commit = excluded.commit, base = excluded.base, bundle = excluded.bundle, stored_at = now()`,
        [taskId, commit, base, bundle],
      );
    },
    bring: async ({ cachePath, taskId, commit }) => {
      if ((await resolveCommit(git, cachePath, commit)) !== null) return;
      const { rows } = await database.query<{ base: string; bundle: Buffer }>(
        "select base, bundle from miyabi.handovers where task_id = $1 and commit = $2",
        [taskId, commit],
      );
      const row = rows[0];
      if (row === undefined)
        throw new AppError({
          code: "not_found",
          message: `The commit ${commit.slice(0, 12)} of ${taskId} is on another machine only.`,
          fix: "miyabi doctor",
        });
      await withWorkDir(git, cachePath, async (directory) => {
        const bundleFile = path.join(directory, "kept.bundle");
        await writeFile(bundleFile, row.bundle, { mode: 0o600 });
        // Judged like any other: what is in the database may be older than our rules.
        await importBundle(git, { cachePath, bundleFile, taskId, expectedBase: row.base });
      });
    },
  };
}

/** A bundle whose one head is HEAD, as a hand-over has it. */
async function bundleOf(
  git: Git,
  { cachePath, commit, base }: Readonly<{ cachePath: string; commit: string; base: string }>,
): Promise<Buffer> {
  return withWorkDir(git, cachePath, async (directory) => {
    const gitDir = path.join(directory, "kept.git");
    const format = await git.text({ gitDir: cachePath, args: ["rev-parse", "--show-object-format"] });
    await git.text({
      args: ["init", "--quiet", "--bare", "--template=", `--object-format=${format.trim()}`, gitDir],
    });
    await mkdir(path.join(gitDir, "objects", "info"), { recursive: true });
    await writeFile(
      path.join(gitDir, "objects", "info", "alternates"),
      `${path.join(cachePath, "objects")}\n`,
    );
    await writeFile(path.join(gitDir, "HEAD"), `${commit}\n`);
    const file = path.join(directory, "kept.bundle");
    await git.text({ gitDir, args: ["bundle", "create", "--quiet", file, "HEAD", `^${base}`] });
    return readFile(file);
  });
}

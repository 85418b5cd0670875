import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Home, type Random } from "../../base/index.ts";
import {
  ensureCache,
  importBundle,
  sourcePathOf,
  type Git,
  type WorkStore,
} from "../../repositories/index.ts";
import type { Database } from "../../store/index.ts";

export interface HandoverParams {
  readonly database: Database;
  readonly git: Git;
  readonly home: Home;
  readonly random: Random;
  readonly maxBytes: number;
  readonly work: Pick<WorkStore, "keep">;
}

/**
 * Takes a run's bundle: stores it outside of any agent's reach, validates and imports it into the cache, and notes the
 * commit on the run. Repeatable. `lost` where the run is not the sender's any more; nothing is changed then.
 * @throws handover.invalid, input.too_large, disk.full.
 */
export async function acceptHandover(
  params: Readonly<HandoverParams>,
  run: { readonly runId: string; readonly attempt: number },
  body: Readable,
): Promise<"accepted" | "lost"> {
  const { database, git, home } = params;
  const { rows } = await database.query<{
    task_id: string;
    base_commit: string;
    repository_id: string;
    path: string;
    is_hosted: boolean;
  }>(
    `select r.task_id, t.base_commit, t.repository_id, p.path, p.remote is not null as is_hosted
     from miyabi.runs r join miyabi.tasks t on t.id = r.task_id join miyabi.repositories p on p.id = t.repository_id
     where r.id = $1 and r.attempt = $2 and r.state in ('leased', 'running')`,
    [run.runId, run.attempt],
  );
  const row = rows[0];
  if (row === undefined) {
    body.resume();
    return "lost";
  }
  const directory = path.join(home.root, "incoming");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const bundleFile = path.join(directory, `${run.runId}-${params.random.token(6)}.bundle`);
  try {
    await pipeline(body, limitBytes(params.maxBytes), createWriteStream(bundleFile, { mode: 0o600 }));
    const cachePath = await ensureCache(git, {
      repositoryId: row.repository_id,
      sourcePath: sourcePathOf({ path: row.path, isHosted: row.is_hosted }, home),
      cachesDir: home.repositoriesDir,
    });
    const handover = await importBundle(git, {
      cachePath,
      bundleFile,
      taskId: row.task_id,
      expectedBase: row.base_commit,
    });
    const { rowCount } = await database.query(
      "update miyabi.runs set handover_commit = $3, handover_tree = $4 where id = $1 and attempt = $2 and state in ('leased', 'running')",
      [run.runId, run.attempt, handover.commit, handover.treeHash],
    );
    if (rowCount !== 1) return "lost";
    // Its sender repeats it until it is accepted, so dying before this loses nothing.
    const { task_id: taskId, base_commit: base } = row;
    await params.work.keep({ cachePath, taskId, commit: handover.commit, base });
    return "accepted";
  } finally {
    await rm(bundleFile, { force: true });
  }
}

function limitBytes(maxBytes: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size <= maxBytes) return done(null, chunk);
      done(
        new AppError({ code: "input.too_large", message: `The hand-over is larger than ${maxBytes} bytes.` }),
      );
    },
  });
}

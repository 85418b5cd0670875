import { createLoop, toAppError, type Clock, type Log, type Loop, type Random } from "../base/index.ts";
import type { Home } from "../base/index.ts";
import path from "node:path";
import { collectableSessions, markCollected } from "../agents/index.ts";
import {
  ensureCache,
  inspectRepository,
  keepBranch,
  removeTree,
  sourcePathOf,
} from "../repositories/index.ts";
import type { Domain } from "./domain.ts";
import { collectCheckouts } from "./housekeeping.ts";

interface CompletionParams {
  readonly domain: Domain;
  readonly home: Home;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Ended {
  readonly id: string;
  readonly state: string;
  readonly title: string;
  readonly branch: string;
  readonly head_commit: string | null;
  readonly merge_commit: string | null;
  readonly repository_id: string;
  readonly path: string;
  readonly is_hosted: boolean;
  readonly target_branch: string;
  readonly reason: { readonly message: string } | null;
  readonly started_at: Date | null;
  readonly finished_at: Date;
  readonly runs: readonly {
    readonly step: string;
    readonly attempt: number;
    readonly state: string;
    readonly verdict: string | null;
    readonly notes: string | null;
    readonly slot: string | null;
    readonly cached: boolean;
  }[];
}

const ENDED = `
select t.id, t.state, t.title, t.branch, t.head_commit, t.merge_commit, t.repository_id, p.path, p.remote is not null as is_hosted, p.target_branch, t.reason, t.started_at, t.finished_at,
  (select coalesce(jsonb_agg(jsonb_build_object('step', r.step, 'attempt', r.attempt, 'state', r.state, 'verdict', r.verdict,
     'notes', r.notes, 'slot', r.slot, 'cached', r.cached) order by r.attempt), '[]') from miyabi.runs r where r.task_id = t.id) as runs
from miyabi.tasks t join miyabi.repositories p on p.id = t.repository_id
where t.state in ('done', 'failed', 'cancelled') and t.report is null and ($1::text is null or p.remote is not null or p.machine = $1) order by t.finished_at limit 20`;

/** What follows the end of a task, repeatably: work without a merge is kept on its branch, a report is written, clones are collected. */
export function createCompletion(params: Readonly<CompletionParams>): Loop {
  const { domain } = params;
  const machine = domain.machine?.name ?? null;
  return createLoop({
    name: "completion",
    intervalMs: 2_000,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async () => {
      const { rows } = await domain.database.query<Ended>(ENDED, [machine]);
      for (const task of rows) {
        const kept =
          task.merge_commit === null && task.head_commit !== null ? await keepWork(params, task) : null;
        if (kept === "later") continue;
        await domain.database.query(
          "update miyabi.tasks set report = $2 where id = $1 and report is null and finished_at = $3",
          [task.id, reportOf(task, kept), task.finished_at],
        );
      }
      await collectCheckouts({ database: domain.database, git: domain.git, home: params.home });
      const sessions = await collectableSessions(domain.database, machine);
      for (const { id, directory } of sessions) {
        await removeTree(domain.git, { directory: path.join(params.home.sessionsDir, directory) });
        await markCollected(domain.database, id);
      }
      return rows.length === 0 && sessions.length === 0 ? "quiet" : undefined;
    },
  });
}

/** Name of the branch in the person's repository; null where the repository is gone, `later` where the disk is full and the like. */
async function keepWork(
  { domain, home, log }: Readonly<CompletionParams>,
  task: Ended,
): Promise<{ readonly branch: string } | "later" | null> {
  const source = sourcePathOf({ path: task.path, isHosted: task.is_hosted }, home);
  try {
    const { gitDir } = await inspectRepository(domain.git, {
      path: source,
      branch: task.target_branch,
      trustOwner: true,
    });
    const cachePath = await ensureCache(domain.git, {
      repositoryId: task.repository_id,
      sourcePath: source,
      cachesDir: home.repositoriesDir,
    });
    await domain.work.bring({ cachePath, taskId: task.id, commit: task.head_commit ?? "" });
    const branch = await keepBranch(domain.git, {
      cachePath,
      sourceGitDir: gitDir,
      branch: task.branch,
      commit: task.head_commit ?? "",
    });
    return { branch };
  } catch (error) {
    log.warn(
      { task: task.id, error: String(error) },
      "the work of an ended task could not be kept on its branch",
    );
    return toAppError(error).retryable ? "later" : null;
  }
}

function reportOf(task: Ended, kept: { readonly branch: string } | null): string {
  const minutes =
    task.started_at === null ? 0 : (task.finished_at.getTime() - task.started_at.getTime()) / 60_000;
  const ending =
    task.merge_commit !== null
      ? `Merged into \`${task.target_branch}\` as \`${task.merge_commit.slice(0, 12)}\`.`
      : `${task.reason?.message ?? "It ended without a merge."}${kept === null ? "" : ` The work is on the branch \`${kept.branch}\`.`}`;
  const lines = task.runs.map(
    (run) =>
      `- ${run.step} #${run.attempt}: ${run.cached ? "passed before, not run again" : (run.verdict ?? run.state)}${run.slot === null ? "" : ` (${run.slot})`}${run.notes === null || run.notes === "" ? "" : ` — ${run.notes.split("\n")[0]?.slice(0, 300)}`}`,
  );
  return [
    `# ${task.id} ${task.title}`,
    "",
    `**${task.state}** after ${minutes.toFixed(1)} min. ${ending}`,
    "",
    "## Runs",
    ...lines,
    "",
  ].join("\n");
}

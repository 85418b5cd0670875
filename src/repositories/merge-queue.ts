import {
  createLoop,
  messageOf,
  toAppError,
  type Clock,
  type ErrorCode,
  type Log,
  type Loop,
  type Random,
} from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { because, type Reason, type TaskService, type Workflow } from "../tasks/index.ts";
import { advanceTarget } from "./advance.ts";
import { ensureCache, fetchTarget } from "./cache.ts";
import { isAncestor, resolveCommit, type Git } from "./git.ts";
import { inspectRepository } from "./inspect.ts";
import { findProtectedChanges, protectedChangeReason } from "./protected-paths.ts";
import { rebaseOnto } from "./rebase.ts";

export interface MergeQueueParams {
  readonly database: Database;
  readonly tasks: TaskService;
  readonly git: Git;
  readonly cachesDir: string;
  /** Name of this machine where several share the database: each merges what lies on it. Null: it is the only one. */
  readonly machine: string | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Candidate {
  readonly task_id: string;
  readonly repository_id: string;
  readonly path: string;
  readonly target_branch: string;
  readonly base_commit: string;
  readonly head_commit: string;
  readonly workflow: Workflow;
  readonly position: number;
  readonly reason: Reason | null;
  readonly data: {
    readonly base?: string;
    readonly candidate?: string;
    readonly checked?: string;
    readonly publishing?: boolean;
    /** Digest of the changes to protected paths that a person approved. */
    readonly approved?: string;
  };
  readonly checking: boolean;
}

// Whoever began goes on first, since the others wait for what becomes of the target branch; a held one lets others pass.
const QUEUE = `
select t.id as task_id, t.repository_id, p.path, p.target_branch, t.base_commit, t.head_commit, t.workflow, s.position, s.reason, s.data,
  exists (select 1 from miyabi.runs r where r.task_id = t.id and r.state in ('queued', 'leased', 'running')) as checking
from miyabi.steps s join miyabi.tasks t on t.id = s.task_id and t.current_step = s.name
  join miyabi.repositories p on p.id = t.repository_id
where s.kind = 'merge' and p.remote is null and ($1::text is null or p.machine = $1) and s.state in ('running', 'waiting') and t.state in ('ready', 'running', 'delivered')
order by coalesce((s.data ->> 'publishing')::boolean, false) desc, s.state = 'waiting', s.data ? 'candidate' desc, t.deadline_at, t.number`;

/**
 * Brings accepted changes onto their target branches, one after the other per branch: rebase in our own cache, check
 * the result, move the branch. Each phase is a row before it is a fact, so a killed control plane goes on where it was;
 * moving the branch is recognised when it has happened already.
 */
export function createMergeQueue(params: Readonly<MergeQueueParams>): Loop {
  return createLoop({
    name: "merge-queue",
    intervalMs: 2_000,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async (signal) => {
      const { rows } = await params.database.query<Candidate>(QUEUE, [params.machine]);
      const taken = new Set<string>();
      const failures: unknown[] = [];
      for (const row of rows) {
        const branch = `${row.path}\n${row.target_branch}`;
        if (taken.has(branch) || signal.aborted) continue;
        try {
          const outcome = row.checking ? "busy" : await mergeOne(params, row);
          if (outcome === "busy") taken.add(branch);
        } catch (error) {
          // One repository's trouble must not hold the others' merges.
          taken.add(branch);
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return rows.length === 0 ? "quiet" : undefined;
    },
  });
}

/** What is wrong with a repository or its disk: a person has to look, and the reason says where. */
const HELD_CODES: readonly ErrorCode[] = [
  "disk.full",
  "disk.not_writable",
  "input.too_large",
  "not_found",
  "process.failed",
  "process.timeout",
  "repository.unusable",
  "tool.missing",
];

/** `busy`: the branch is this task's until its check has ended. `done`: the next one may have it. */
async function mergeOne(params: Readonly<MergeQueueParams>, row: Candidate): Promise<"busy" | "done"> {
  try {
    const { candidate, checked, publishing } = row.data;
    if (candidate !== undefined && (publishing === true || checked === candidate))
      return await publish(params, row, candidate);
    return await rebase(params, row);
  } catch (error) {
    const { code, message, fix } = toAppError(error);
    if (code === "conflict.state") return "done"; // cancelled meanwhile
    if (!HELD_CODES.includes(code)) throw error;
    await hold(params, row, because(code, message, {}, fix));
    return "done";
  }
}

async function rebase(params: Readonly<MergeQueueParams>, row: Candidate): Promise<"busy" | "done"> {
  const cachePath = await ensureCache(params.git, {
    repositoryId: row.repository_id,
    sourcePath: row.path,
    cachesDir: params.cachesDir,
  });
  const target = await fetchTarget(params.git, {
    cachePath,
    sourcePath: row.path,
    branch: row.target_branch,
  });
  const protectedChange = await findProtectedChanges(params.git, {
    gitDir: cachePath,
    target: target.commit,
    head: row.head_commit,
    rules: [],
  });
  if (protectedChange !== null && protectedChange.digest !== row.data.approved) {
    await hold(params, row, protectedChangeReason(protectedChange, row.task_id));
    return "done";
  }
  // Not before: a repository that cannot be read would change the task's state in every round.
  await params.tasks.happen(row.task_id, { type: "merge-started" });
  const step = row.workflow.steps[row.position];
  const result = await rebaseOnto(params.git, {
    cachePath,
    taskId: row.task_id,
    taskCommit: row.head_commit,
    base: row.base_commit,
    target: target.commit,
    squash: step?.kind === "merge" && step.squash,
  });
  switch (result.outcome) {
    case "conflict":
      await params.tasks.happen(row.task_id, {
        type: "merge-conflict",
        base: target.commit,
        files: result.files,
      });
      return "done";
    case "empty":
      // The target already has the whole change.
      await params.tasks.happen(row.task_id, { type: "merged", commit: target.commit });
      return "done";
    case "rebased":
    case "unchanged": {
      const needsCheck = step?.kind === "merge" && step.check !== undefined;
      await params.tasks.happen(row.task_id, {
        type: "merge-candidate",
        base: target.commit,
        commit: result.commit,
        tree: result.treeHash,
        needsCheck,
      });
      if (needsCheck) return "busy";
      return publish(
        params,
        { ...row, data: { base: target.commit, candidate: result.commit } },
        result.commit,
      );
    }
  }
}

async function publish(
  params: Readonly<MergeQueueParams>,
  row: Candidate,
  commit: string,
): Promise<"busy" | "done"> {
  const facts = await inspectRepository(params.git, {
    path: row.path,
    branch: row.target_branch,
    trustOwner: true,
  });
  const cachePath = await ensureCache(params.git, {
    repositoryId: row.repository_id,
    sourcePath: row.path,
    cachesDir: params.cachesDir,
  });
  await params.tasks.happen(row.task_id, { type: "merge-publishing", commit });
  const outcome = await advanceTarget(params.git, {
    sourceGitDir: facts.gitDir,
    branch: row.target_branch,
    expectedOld: row.data.base ?? "",
    commit,
    cachePath,
  }).catch(async (error: unknown) => {
    // From the moment that the branch has moved the task is merged, whatever its tree still lacks: no person may cancel it.
    const now = await resolveCommit(params.git, facts.gitDir, `refs/heads/${row.target_branch}`);
    if (now !== null && (await isAncestor(params.git, facts.gitDir, commit, now)))
      throw new Error(`${row.task_id} is merged, its tree is not up to date: ${messageOf(error)}`, {
        cause: error,
      });
    throw error;
  });
  switch (outcome.outcome) {
    case "advanced":
    case "already":
      await params.tasks.happen(row.task_id, { type: "merged", commit });
      return "done";
    case "moved":
      return rebase(params, row);
    case "dirty":
      await hold(
        params,
        row,
        because(
          `target.${outcome.reason}`,
          outcome.detail,
          { files: [...outcome.files].slice(0, 20), path: row.path },
          outcome.command,
        ),
      );
      return "done";
  }
}

/** The change is ready and only a person can make room for it. Looked at again every round. */
async function hold(params: Readonly<MergeQueueParams>, row: Candidate, reason: Reason): Promise<void> {
  await params.tasks.happen(row.task_id, { type: "merge-held", reason });
}

import { AppError, type Random } from "../../../base/index.ts";
import { because, type TaskHappening } from "../../../tasks/index.ts";
import { forgetPush, type HostedTask } from "../hosted-task.ts";
import { anything } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import type { WriteBackParams } from "../write-back/pull-request.ts";
import { askWhereUsedUp } from "./ask-by-name.ts";
import { bringUp } from "./bring-up.ts";
import { failedLog } from "./ci-log.ts";
import { giveFeedback } from "./feedback.ts";
import type { Verdict } from "./judge.ts";
import { afterRemoval, readQueuePlace } from "./merge-queue.ts";
import type { SortedThreads } from "./review-threads.ts";
import { readChecks, type Snapshot } from "./snapshot.ts";

export interface ActParams extends WriteBackParams {
  readonly random: Random;
}

interface Looked {
  readonly repository: HostedRepository;
  readonly task: HostedTask;
  readonly snapshot: Snapshot;
  readonly news: (SortedThreads & { readonly until: Date }) | null;
}

/** Does what a look at a pull request asks for. @throws conflict.state where the task has moved on */
export async function actOn(
  params: Readonly<ActParams>,
  looked: Readonly<Looked>,
  verdict: Verdict,
): Promise<void> {
  const { repository, task, snapshot } = looked;
  switch (verdict.act) {
    case "nothing":
      return;
    case "tell":
      if (verdict.happening.type === "merged") await params.repositories.sync(repository);
      if (verdict.happening.type === "merge-awaits" && task.stepKind !== "merge") return;
      return params.tasks.happen(task.id, verdict.happening);
    case "closed":
      return closed(params, repository, task);
    case "checks-failed": {
      const log = await failedLog(repository, snapshot.checks);
      return happenOrAsk(
        params,
        task,
        task.stepKind === "wait-ci"
          ? { type: "ci-finished", commit: verdict.commit, outcome: "failed", log }
          : { type: "merge-checks-failed", log },
      );
    }
    case "feedback":
      return giveFeedback(params, task, { ...verdict, seen: looked.news });
    case "bring-up": {
      const happening = await bringUp(params, repository, task);
      return happening === null ? undefined : happenOrAsk(params, task, happening);
    }
    case "queued":
      return queued(params, repository, task);
  }
}

/** Where the task has used up its rounds by this, who set the label is asked what follows. */
async function happenOrAsk(
  params: Readonly<ActParams>,
  task: HostedTask,
  happening: TaskHappening,
): Promise<void> {
  await params.database.transaction(async (tx) => {
    await params.tasks.happenIn(tx, task.id, () => happening);
    await askWhereUsedUp(tx, params, task, [task.issue.labelledBy]);
  });
}

/** Tells a deleted branch from a closed pull request: a retry then pushes it anew. */
async function closed(
  params: Readonly<ActParams>,
  { client, settings }: HostedRepository,
  task: HostedTask,
): Promise<void> {
  const [owner, repo] = settings.name.split("/");
  const route = "GET /repos/{owner}/{repo}/branches/{branch}";
  const isThere = await client.call(route, { owner, repo, branch: task.branch }, anything).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.code === "not_found") return false;
      throw error;
    },
  );
  const branch = isThere ? null : task.branch;
  await params.database.transaction(async (tx) => {
    await params.tasks.happenIn(tx, task.id, () => ({ type: "pull-request-closed", by: "somebody", branch }));
    if (branch !== null) await forgetPush(tx, task.id);
  });
}

/** Whether it still stands in GitHub's merge queue; where it was taken out, what follows from why. */
async function queued(
  params: Readonly<ActParams>,
  repository: HostedRepository,
  task: HostedTask,
): Promise<void> {
  const place = await readQueuePlace(repository, task.pullRequest?.number ?? 0);
  // Merged in this moment: the next look says so.
  if (place === null || place.enqueuedAt !== null || place.mergedAs !== null) return;
  const since = new Date(String(task.reason?.params["at"] ?? 0));
  const removed = place.removed !== null && place.removed.at >= since ? place.removed : null;
  const after = afterRemoval(removed?.reason ?? "");
  if (after === "conflict") {
    const happening = await bringUp(params, repository, task);
    if (happening !== null) return happenOrAsk(params, task, happening);
  }
  if (after === "checks") {
    const checks = removed?.commit == null ? [] : await readChecks(repository, removed.commit);
    const log = `On the result of merging with the target branch, in GitHub's merge queue (${removed?.reason ?? ""}).\n\n${await failedLog(repository, checks)}`;
    return happenOrAsk(params, task, { type: "merge-checks-failed", log: log.trim() });
  }
  const why = removed === null || removed.reason === "" ? "GitHub does not say why" : removed.reason;
  const by = removed?.by == null ? "" : ` by ${removed.by}`;
  const reason = because(
    "merge.dequeued",
    `It was taken out of GitHub's merge queue${by}: ${why}.`,
    { why, by: removed?.by ?? "" },
    `miyabi task retry ${task.id}`,
  );
  await params.tasks.happen(task.id, { type: "merge-dequeued", reason });
}

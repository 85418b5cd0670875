import { AppError, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import {
  appendEvents,
  because,
  syncThroughOutbox,
  type Reason,
  type TaskService,
} from "../../tasks/index.ts";
import type { CommandPorts } from "./agents-port.ts";
import { changedSince, lastLabelled, readIssues } from "./issue-snapshot.ts";
import { hashOfWords, keepWords, wordsOf } from "./issue-words.ts";
import { pullRequestReply, repositoryReply, type IssueReply } from "./replies.ts";
import type { HostedRepositories, HostedRepository } from "./repositories.ts";
import type { Trust } from "./trust.ts";

/** A task of an issue, as far as changes of the issue concern it. */
export interface IssueTask {
  readonly id: string;
  readonly number: number;
  readonly state: string;
  readonly reason: string | null;
  /** An agent has begun with it. */
  readonly hasBegun: boolean;
  readonly pullRequest: number | null;
  /** Of the words that it goes by; null: taken before that was kept. */
  readonly textHash: string | null;
  /** Of other words that were noticed already. */
  readonly editHash: string | null;
}

export interface IssueChangesParams {
  readonly database: Database;
  readonly tasks: TaskService;
  readonly trust: Trust;
  readonly repositories: HostedRepositories;
  readonly ports: Pick<CommandPorts, "endingRunOf">;
  readonly random: Pick<Random, "uuid">;
}

/** What a change of its issue means for a task under way; the rules stand in docs/github.md. All of it is safe to repeat. */
export interface IssueChanges {
  /** The issue was closed or lost its label. */
  stopped(repository: HostedRepository, task: IssueTask, issue: IssueReply): Promise<void>;
  /** It is open and labelled again. */
  wantedAgain(repository: HostedRepository, task: IssueTask): Promise<void>;
  /** Title or text may be others now. */
  edited(repository: HostedRepository, task: IssueTask, issue: IssueReply): Promise<void>;
  /** There is no such issue any more; `movedTo`: where it was transferred to. */
  gone(repository: HostedRepository, task: IssueTask, movedTo: string | null): Promise<void>;
}

const AGAIN: Readonly<Record<string, true>> = { "issue.closed": true, "issue.unlabelled": true };

export function createIssueChanges(params: Readonly<IssueChangesParams>): IssueChanges {
  const { database, tasks, trust } = params;
  return {
    stopped: async (repository, task, issue) => {
      if (issue.state === "closed" && (await wasMerged(params, repository, task))) return;
      const where = `${repository.settings.name}#${task.number}`;
      await stop(
        params,
        task,
        issue.state === "closed"
          ? because("issue.closed", `Its issue ${where} was closed. What was done is kept.`, { issue: where })
          : because(
              "issue.unlabelled",
              `The label of its issue ${where} was removed. What was done is kept.`,
              { issue: where },
            ),
      );
    },
    wantedAgain: async (repository, task) => {
      if (task.state !== "cancelled" || AGAIN[task.reason ?? ""] === undefined) return;
      const { client, settings } = repository;
      const snapshot = (await readIssues(client, settings.name, [task.number])).get(task.number);
      const labelled = snapshot === undefined ? null : lastLabelled(snapshot, settings.label);
      if (snapshot === undefined || labelled === null || !snapshot.isOpen) return;
      const { by } =
        task.reason === "issue.closed"
          ? (snapshot.events.findLast(({ type }) => type === "reopened") ?? { by: null })
          : labelled;
      if (!(await trust.isTrusted(client, settings, by))) return;
      const words = wordsOf(snapshot);
      let isTextTrusted = task.reason === "issue.unlabelled";
      for (const one of changedSince(snapshot, labelled))
        isTextTrusted &&= await trust.isTrusted(client, settings, one);
      await database.transaction(async (tx) => {
        await tasks.happenIn(tx, task.id, () => ({ type: "retry", by: by ?? "" }));
        // A new label says: as it stands now.
        if (!isTextTrusted || words.hash === task.textHash) return;
        await tasks.happenIn(tx, task.id, () => ({
          type: "text-changed",
          by: by ?? "",
          text: `${words.title}\n\n${words.body}`,
        }));
        await keepWords(tx, task.id, words);
      });
    },
    edited: async (repository, task, issue) => {
      if (task.textHash === null) return;
      const hash = hashOfWords(issue);
      const noticed = task.editHash ?? task.textHash;
      if (hash === noticed) return;
      if (hash === task.textHash) return noteEdit(params, task, null);
      const { client, settings } = repository;
      const snapshot = (await readIssues(client, settings.name, [task.number])).get(task.number);
      if (snapshot === undefined) return;
      const labelled = lastLabelled(snapshot, settings.label);
      const editors = labelled === null ? [null] : changedSince(snapshot, labelled);
      const by = editors.find((one) => one !== null) ?? "somebody unknown";
      const trusted: boolean[] = [];
      for (const one of editors) trusted.push(await trust.isTrusted(client, settings, one));
      const isTrusted = trusted.length > 0 && trusted.every(Boolean);
      const words = wordsOf(snapshot);
      if (!isTrusted || task.hasBegun) return noteEdit(params, task, { hash, by });
      // It has not begun: a trusted person's words are simply those that it begins with.
      await database.transaction(async (tx) => {
        await keepWords(tx, task.id, words);
        await appendEvents(tx, [{ type: "task.changed", taskId: task.id, data: { textBy: by } }]);
      });
    },
    gone: async (repository, task, movedTo) => {
      const where = `${repository.settings.name}#${task.number}`;
      await stop(
        params,
        task,
        movedTo === null
          ? because("issue.deleted", `Its issue ${where} was deleted. What was done is kept.`, {
              issue: where,
            })
          : because(
              "issue.transferred",
              `Its issue ${where} was transferred to ${movedTo}. What was done is kept here.`,
              { issue: where, to: movedTo },
            ),
      );
    },
  };
}

/** A merge closes the issue too. */
async function wasMerged(
  { tasks, repositories }: Readonly<IssueChangesParams>,
  repository: HostedRepository,
  task: IssueTask,
): Promise<boolean> {
  if (task.pullRequest === null) return false;
  const [owner, repo] = repository.settings.name.split("/");
  const pull = await repository.client.call(
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    { owner, repo, pull_number: task.pullRequest },
    pullRequestReply,
  );
  if (!pull.merged) return false;
  await repositories.sync(repository);
  const commit = pull.merge_commit_sha ?? pull.head.sha;
  await unlessMovedOn(() => tasks.happen(task.id, { type: "merged", commit }));
  return true;
}

async function stop(
  { tasks, ports }: Readonly<IssueChangesParams>,
  task: IssueTask,
  reason: Reason,
): Promise<void> {
  const why = { ...reason, fix: `miyabi task retry ${task.id}` };
  await ports.endingRunOf(task.id, () =>
    unlessMovedOn(() => tasks.happen(task.id, { type: "cancel", by: "GitHub", note: "", why })),
  );
}

/** Where it ended, or is being merged, at this moment. */
async function unlessMovedOn(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "conflict.state") throw error;
  }
}

async function noteEdit(
  { database, random }: Readonly<IssueChangesParams>,
  { id: taskId }: IssueTask,
  edit: { readonly hash: string; readonly by: string } | null,
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query("update miyabi.github_issues set edit = $2 where task_id = $1", [
      taskId,
      edit === null ? null : JSON.stringify(edit),
    ]);
    if (edit !== null)
      await appendEvents(tx, [{ type: "task.changed", taskId, data: { textNotUsedOf: edit.by } }]);
    await syncThroughOutbox(tx, random, {
      taskId,
      kind: "progress",
      target: `progress:${taskId}`,
      delayMs: 500,
    });
  });
}

/** Where an issue was transferred to, `owner/name#12`; null where it was not, though its repository may have another name now. */
export async function transferredTo(
  { client, settings }: HostedRepository,
  issue: IssueReply,
): Promise<string | null> {
  const found = /\/([^/]+\/[^/]+)\/issues\/(\d+)$/.exec(issue.html_url);
  const name = found?.[1]?.toLowerCase() ?? "";
  if (name === settings.name.toLowerCase()) return null;
  const [owner, repo] = settings.name.split("/");
  const facts = await client.call("GET /repos/{owner}/{repo}", { owner, repo }, repositoryReply);
  return facts.full_name.toLowerCase() === name ? null : `${found?.[1] ?? ""}#${found?.[2] ?? ""}`;
}

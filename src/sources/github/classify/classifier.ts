import { createLoop, type Clock, type Log, type Loop, type Random } from "../../../base/index.ts";
import type { Database, Tx } from "../../../store/index.ts";
import { addToOutbox } from "../../../tasks/index.ts";
import { rememberOutcomeIn } from "../intake-store.ts";
import { readIssues, type IssueSnapshot } from "../issue-snapshot.ts";
import { wordsOf } from "../issue-words.ts";
import type { HostedRepositories, HostedRepository } from "../repositories.ts";
import type { ClassifySettings, GitHubSettings } from "../settings.ts";
import type { Trust } from "../trust.ts";
import { askModel, type ModelAccess } from "./ask-model.ts";
import {
  claimUnlabelled,
  decideClassification,
  postponeClassification,
  type Classification,
  type Decision,
} from "./classification-store.ts";

interface ClassifierParams {
  readonly settings: Pick<GitHubSettings, "repositories">;
  readonly classify: ClassifySettings;
  readonly access: ModelAccess;
  readonly database: Database;
  readonly repositories: HostedRepositories;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const SET_LABELS = "classified-labels";

const LOOK_MS = 5_000;
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 10 * 60_000;
const LIMIT_PAUSE_MS = 60 * 60_000;

/**
 * Has a model choose the labels of issues that have none: set where everybody who wrote the issue may start work, else only
 * suggested, or not asked about at all. A crash between a call and its record asks again; the gateway's cache may answer then.
 */
export function createClassifier(params: Readonly<ClassifierParams>): Loop {
  const { database, repositories } = params;
  const configured = params.settings.repositories.map(({ name }) => name.toLowerCase());
  return createLoop({
    ...params,
    name: "github-classifier",
    intervalMs: LOOK_MS,
    tick: async (signal) => {
      for (let at = 0; at < 20 && !signal.aborted; at += 1) {
        const one = await claimUnlabelled(database, configured);
        if (one === null) return;
        const repository = await repositories.find(one.repository);
        if (repository !== null) await classify(params, repository, one, signal);
      }
    },
  });
}

const NOTHING: Decision = {
  state: "none",
  labels: [],
  textHash: null,
  model: null,
  callId: null,
  error: null,
};

async function classify(
  params: Readonly<ClassifierParams>,
  repository: HostedRepository,
  one: Classification,
  signal: AbortSignal,
): Promise<void> {
  const { classify: settings, database, random } = params;
  const decide = (decision: Decision, andThen: (tx: Tx) => Promise<void> = () => Promise.resolve()) =>
    database.transaction(async (tx) => {
      if (await decideClassification(tx, one, decision)) await andThen(tx);
    });
  const { client } = repository;
  const issue = (await readIssues(client, repository.settings.name, [one.number])).get(one.number);
  if (issue === undefined || !isUnlabelled(issue)) return decide(NOTHING);
  const isTrusted = await areTrusted(params.trust, repository, one.author, issue);
  if (!isTrusted && !settings.suggestToOthers) return decide(NOTHING);
  const words = wordsOf(issue);
  const answer = await askModel(params.access, {
    ...settings,
    ...words,
    nonce: random.token(),
    signal,
  });
  const { callId } = answer;
  const place = { repository: one.repository, number: one.number };
  params.log.info({ ...place, ...answer }, "issue classified");
  if (answer.outcome === "unanswered") {
    if (signal.aborted) return;
    if (answer.isLimit || one.attempts < MAX_ATTEMPTS)
      return postponeClassification(database, one, {
        error: answer.message,
        callId,
        delayMs: answer.isLimit ? LIMIT_PAUSE_MS : PAUSE_MS * one.attempts,
      });
    return decide({ ...NOTHING, state: "failed", model: settings.model, callId, error: answer.message });
  }
  const { labels } = answer;
  const state = labels.length === 0 ? "none" : isTrusted ? "chosen" : "suggested";
  const { model } = settings;
  await decide({ state, labels, textHash: words.hash, model, callId, error: null }, async (tx) => {
    await rememberOutcomeIn(tx, random, place, { outcome: "classified", model, labels, set: isTrusted });
    if (state === "chosen")
      await addToOutbox(tx, random, {
        taskId: null,
        kind: SET_LABELS,
        target: `issue:${one.repository}#${one.number}`,
        payload: place,
      });
  });
}

export const isUnlabelled = ({ isOpen, labels }: Pick<IssueSnapshot, "isOpen" | "labels">): boolean =>
  isOpen && labels.length === 0;

/** Whether all who wrote title and text may start work. @throws where it cannot be asked; nothing is set then. */
export async function areTrusted(
  trust: Trust,
  { client, settings }: HostedRepository,
  author: string | null,
  { edited, events }: Pick<IssueSnapshot, "edited" | "events">,
): Promise<boolean> {
  const renamers = events.flatMap((one) => (one.type === "renamed" ? [one.by] : []));
  for (const by of new Set([author, ...(edited === null ? [] : [edited.by]), ...renamers]))
    if (!(await trust.isTrusted(client, settings, by))) return false;
  return true;
}

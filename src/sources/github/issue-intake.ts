import { AppError, toAppError, type Log, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { TaskService } from "../../tasks/index.ts";
import type { Intake } from "../intake/index.ts";
import { findBlockers } from "./blockers.ts";
import { noteUnlabelled, readClassification } from "./classify/classification-store.ts";
import { textUsedAt } from "./commands/comment-store.ts";
import type { DependenciesFile } from "./dependencies-file.ts";
import { describeIntake, type IntakeOutcome } from "./intake-outcome.ts";
import { forgetIssue, knownIntake, rememberOutcome, waitersOf } from "./intake-store.ts";
import { transferredTo, type IssueChanges, type IssueTask } from "./issue-changes.ts";
import { changedSince, lastLabelled, readIssues, type IssueSnapshot } from "./issue-snapshot.ts";
import { hashOfWords, lastChangeOf, wordsOf, type IssueWords } from "./issue-words.ts";
import type { Places } from "./places.ts";
import { issueReply, repositoryReply, type IssueReply } from "./replies.ts";
import type { HostedRepositories, HostedRepository } from "./repositories.ts";
import { routeOf, type Route } from "./routing.ts";
import type { GitHubSettings } from "./settings.ts";
import type { Trust } from "./trust.ts";

interface IssueIntakeParams {
  readonly settings: GitHubSettings;
  readonly database: Database;
  readonly tasks: TaskService;
  readonly intake: Intake;
  readonly trust: Trust;
  readonly changes: IssueChanges;
  readonly repositories: HostedRepositories;
  readonly places: Places;
  readonly dependencies: DependenciesFile;
  readonly ownLogin: () => Promise<string>;
  readonly random: Pick<Random, "uuid">;
  readonly log: Log;
}

export interface IssueIntake {
  /**
   * Looks at an issue as it is now and does what follows: starts it, stops it, or nothing. Safe to repeat.
   * `snapshot`: read for many at once; without it the issue is asked for where that matters.
   */
  look(repository: HostedRepository, issue: IssueReply, snapshot?: IssueSnapshot): Promise<void>;
  /** Those of a list that are to start and no task yet: the ones to read a snapshot of. */
  starting(repository: HostedRepository, issues: readonly IssueReply[]): Promise<readonly number[]>;
  /** The same for an issue that is read first. */
  lookAt(repository: HostedRepository, number: number): Promise<void>;
  /** Why an issue without a task has none, for people. */
  explain(repository: HostedRepository, number: number): Promise<string>;
}

export function createIssueIntake(params: Readonly<IssueIntakeParams>): IssueIntake {
  const inTurn = createTurns();
  /** A closed issue that was no task holds nobody up any more. */
  const release = async ({ key }: HostedRepository, number: number): Promise<void> => {
    for (const waiter of await waitersOf(params.database, `${key}#${number}`)) {
      const repository = await params.repositories.find(waiter.repository);
      if (repository !== null) await lookAt(repository, waiter.number);
    }
  };
  const look = async (
    repository: HostedRepository,
    issue: IssueReply,
    snapshot?: IssueSnapshot,
  ): Promise<void> => {
    if (issue.pull_request !== undefined) return;
    const known = await knownTask(params.database, repository.key, issue.number);
    const wanted = isWanted(repository, issue);
    if (known !== null) return lookAtTask(params, repository, known, issue, wanted);
    const place = { repository: repository.key, number: issue.number };
    if (!wanted) {
      const before = await knownIntake(params.database, place);
      if (params.settings.classify !== undefined && issue.state === "open" && issue.labels.length === 0)
        await noteUnlabelled(params.database, { ...place, author: issue.user?.login ?? null });
      if (before !== null && before.outcome !== "unwanted" && before.outcome !== "classified")
        await rememberOutcome(params.database, params.random, place, { outcome: "unwanted" });
      return issue.state === "closed" ? release(repository, issue.number) : undefined;
    }
    const outcome = await take(params, inTurn, repository, issue.number, snapshot);
    if (outcome === null) return;
    await rememberOutcome(params.database, params.random, place, outcome);
    params.log.info({ repository: repository.key, issue: issue.number, ...outcome }, "issue looked at");
  };
  const lookAt: IssueIntake["lookAt"] = (repository, number) =>
    inTurn(`${repository.key}#${number}`, async () => {
      const [owner, repo] = repository.settings.name.split("/");
      const route = "GET /repos/{owner}/{repo}/issues/{issue_number}";
      const issue = await repository.client
        .call(route, { owner, repo, issue_number: number }, issueReply)
        .catch(async (error: unknown) => {
          if (!(error instanceof AppError) || error.code !== "not_found") throw error;
          // Also said where we may not see the repository any more; then this fails, and we know nothing of the issue.
          await repository.client.call("GET /repos/{owner}/{repo}", { owner, repo }, repositoryReply);
          return null;
        });
      const movedTo = issue === null ? null : await transferredTo(repository, issue);
      if (issue !== null && movedTo === null) return look(repository, issue);
      const known = await knownTask(params.database, repository.key, number);
      if (known !== null && !isEnded(known)) await params.changes.gone(repository, known, movedTo);
      if (known === null) await forgetIssue(params.database, { repository: repository.key, number });
    });
  return {
    starting: async (repository, issues) => {
      const wanted = issues
        .filter((issue) => issue.pull_request === undefined && isWanted(repository, issue))
        .map(({ number }) => number);
      const { rows } = await params.database.query<{ number: number }>(
        "select number from miyabi.github_issues where repository = $1 and number = any($2) and task_id is not null",
        [repository.key, wanted],
      );
      const known = new Set(rows.map(({ number }) => number));
      return wanted.filter((number) => !known.has(number));
    },
    look: (repository, issue, snapshot) =>
      inTurn(`${repository.key}#${issue.number}`, () => look(repository, issue, snapshot)),
    lookAt,
    explain: async ({ key: repository, settings }, number) => {
      const outcome = await knownIntake(params.database, { repository, number });
      const place =
        outcome?.outcome === "full" || outcome?.outcome === "later"
          ? await params.places.describe(params.database, { repository, number, class: outcome.class })
          : null;
      return place ?? describeIntake(outcome, settings.label);
    },
  };
}

type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** One look at an issue after the other, whether a webhook or the poll asks for it. */
function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work);
    const leave = (): void => {
      if (last.get(key) === quiet) last.delete(key);
    };
    const quiet = turn.then(leave, leave);
    last.set(key, quiet);
    return turn;
  };
}

const isWanted = ({ settings }: HostedRepository, issue: IssueReply): boolean =>
  issue.state === "open" && hasLabel(issue, settings.label);

const hasLabel = (issue: Pick<IssueSnapshot, "labels">, label: string): boolean =>
  issue.labels.some((one) => one.toLowerCase() === label.toLowerCase());

/** Null where it is not wanted any more. */
async function take(
  params: Readonly<IssueIntakeParams>,
  inTurn: Turns,
  repository: HostedRepository,
  number: number,
  given: IssueSnapshot | undefined,
): Promise<IntakeOutcome | null> {
  const { client, settings } = repository;
  const snapshot = given ?? (await readIssues(client, settings.name, [number])).get(number);
  if (snapshot === undefined || !snapshot.isOpen || !hasLabel(snapshot, settings.label)) return null;
  const labelled = lastLabelled(snapshot, settings.label);
  const chosen = labelled === null ? null : await chosenFor(params, repository, snapshot, labelled.by);
  const starter = chosen === null ? (labelled?.by ?? null) : chosen.author;
  if (labelled === null || !(await params.trust.isTrusted(client, settings, starter)))
    return { outcome: "untrusted", by: starter ?? "somebody unknown" };
  const editors = [...changedSince(snapshot, labelled), ...(chosen?.isOfThisText === false ? [null] : [])];
  if (editors.length > 0 && !(await isTextUsed(params.database, repository, snapshot)))
    for (const by of editors)
      if (!(await params.trust.isTrusted(client, settings, by)))
        return { outcome: "edited", by: by ?? "somebody unknown" };
  return create(params, inTurn, repository, snapshot, { key: labelled.id, by: starter ?? "" });
}

/**
 * Where the label is ours, set because a model chose it, the issue's author starts it, and the text is what the model was shown.
 * That we may write says nothing about either. Null: it is not such a label.
 */
async function chosenFor(
  params: Readonly<IssueIntakeParams>,
  { key: repository, settings }: HostedRepository,
  snapshot: IssueSnapshot,
  labelledBy: string | null,
): Promise<{ readonly author: string | null; readonly isOfThisText: boolean } | null> {
  if (labelledBy !== (await params.ownLogin())) return null;
  const chosen = await readClassification(params.database, { repository, number: snapshot.number });
  if (chosen?.state !== "chosen" || !hasLabel(chosen, settings.label)) return null;
  return { author: chosen.author, isOfThisText: chosen.textHash === hashOfWords(snapshot) };
}

/** Whether a trusted person said, after its last change, that the text may be used. */
async function isTextUsed(
  database: Database,
  { key }: HostedRepository,
  snapshot: IssueSnapshot,
): Promise<boolean> {
  const changedAt = lastChangeOf(snapshot);
  const usedAt = await textUsedAt(database, key, snapshot.number);
  return usedAt !== null && changedAt !== null && usedAt > changedAt;
}

interface Start {
  /** Of the event that says so. */
  readonly key: string;
  readonly by: string;
}

async function create(
  params: Readonly<IssueIntakeParams>,
  inTurn: Turns,
  repository: HostedRepository,
  issue: IssueSnapshot,
  start: Start,
): Promise<IntakeOutcome> {
  const { database, places } = params;
  const words = wordsOf(issue);
  const commit = await params.repositories.upToDate(repository);
  try {
    const listed = await params.dependencies.of(repository, commit, issue.number);
    const { tasks, waitsFor, cycle } = await findBlockers(database, repository, issue, words.body, listed);
    if (waitsFor.length > 0) return { outcome: "waits", on: waitsFor, ...(cycle === null ? {} : { cycle }) };
    const route = routeOf(params.settings, issue.labels);
    const candidate = { repository: repository.key, number: issue.number, class: route.class };
    // Counting and creating are one: two at once would both take the last place.
    return await inTurn(
      "places",
      async () =>
        (await places.holding(database, candidate)) ??
        (await createTask(params, repository, issue, { ...start, words, route, tasks })),
    );
  } catch (error) {
    const known = toAppError(error);
    if (known.retryable || known.code === "internal.bug") throw known;
    return { outcome: "refused", message: known.message, commit };
  }
}

async function createTask(
  { database, intake }: Readonly<IssueIntakeParams>,
  { key, known, settings, mirrorPath, targetBranch }: HostedRepository,
  issue: IssueSnapshot,
  {
    words,
    route,
    tasks,
    ...start
  }: Start & { readonly words: IssueWords; readonly route: Route; readonly tasks: readonly string[] },
): Promise<IntakeOutcome> {
  const { id } = await intake.add(
    {
      repositoryPath: mirrorPath,
      targetBranch,
      title: words.title,
      body: words.body,
      labels: issue.labels.slice(0, 50).map((label) => label.slice(0, 100)),
      dependsOn: [...tasks],
      class: route.class,
      ...(route.profile === null ? {} : { profile: route.profile }),
      ...(route.workflow === null ? {} : { workflow: route.workflow }),
    },
    {
      idempotencyKey: `github:${key}#${issue.number}:${start.key}`,
      source: "github",
      hosted: { policy: settings.merge, squash: settings.method === "squash" },
      known,
      branchKey: String(issue.number),
      role: route.role,
    },
  );
  await database.query(
    `insert into miyabi.github_issues (repository, number, task_id, intake, text_hash) values ($1, $2, $3, $4, $5)
     on conflict (repository, number) do update set task_id = excluded.task_id, intake = excluded.intake, text_hash = excluded.text_hash, updated_at = now()`,
    [key, issue.number, id, JSON.stringify({ outcome: "taken", by: start.by }), words.hash],
  );
  return { outcome: "taken", by: start.by };
}

/** What the issue of a known task looks like now, and what follows for the task. */
async function lookAtTask(
  { database, changes }: Readonly<IssueIntakeParams>,
  repository: HostedRepository,
  task: IssueTask,
  issue: IssueReply,
  isWantedNow: boolean,
): Promise<void> {
  if (isEnded(task)) {
    if (isWantedNow) await changes.wantedAgain(repository, task);
  } else if (isWantedNow) await changes.edited(repository, task, issue);
  else await changes.stopped(repository, task, issue);
  await database.query("update miyabi.github_issues set looked_at = now() where task_id = $1", [task.id]);
}

const isEnded = ({ state }: IssueTask): boolean => ["done", "failed", "cancelled"].includes(state);

interface IssueTaskRow {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly has_begun: boolean;
  readonly pr_number: number | null;
  readonly text_hash: string | null;
  readonly edit_hash: string | null;
}

async function knownTask(database: Database, repository: string, number: number): Promise<IssueTask | null> {
  const { rows } = await database.query<IssueTaskRow>(
    `select t.id, t.state, t.reason ->> 'code' as reason, t.base_commit is not null as has_begun, p.number as pr_number, i.text_hash, i.edit ->> 'hash' as edit_hash
     from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id left join miyabi.github_pull_requests p on p.task_id = t.id
     where i.repository = $1 and i.number = $2`,
    [repository, number],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : {
        id: row.id,
        number,
        state: row.state,
        reason: row.reason,
        hasBegun: row.has_begun,
        pullRequest: row.pr_number,
        textHash: row.text_hash,
        editHash: row.edit_hash,
      };
}

import { AppError } from "../../../base/index.ts";
import type { Explanation } from "../../../contract/index.ts";
import type { Tx } from "../../../store/index.ts";
import { appendEvents } from "../../../tasks/index.ts";
import { knownIntake } from "../intake-store.ts";
import { keepWords, readWords } from "../issue-words.ts";
import type { HostedRepository } from "../repositories.ts";
import { quoted } from "../write-back/pull-request-body.ts";
import { answerComment } from "./answer.ts";
import { recordComment, setOutcome, wasListed, type HandledComment } from "./comment-store.ts";
import { COMMAND_LIST, type Command } from "./parse.ts";
import type { CommandsParams } from "./ports.ts";

type Comment = Omit<HandledComment, "outcome">;

interface Said {
  readonly command: Command;
  readonly comment: Comment;
  /** Issue of the task; differs from the comment's page where that is the pull request. */
  readonly issue: number;
}

/** What came of a command; `text` is written under it, null: the reaction says it all. */
interface Result {
  readonly outcome: "done" | "refused" | "unknown";
  readonly text: string | null;
}

const CHANGED_SINCE = "The text was changed after this comment. Look at it again, and say it once more.";
const DONE: Result = { outcome: "done", text: null };
const refused = (text: string): Result => ({ outcome: "refused", text });

/**
 * Carries a trusted person's command out, once: the change and the note that it was made commit together. What goes beyond our
 * rows happens before that and is harmless when repeated.
 */
export async function carryOut(
  params: Readonly<CommandsParams>,
  repository: HostedRepository,
  said: Said,
): Promise<void> {
  const { command, comment } = said;
  const { taskId } = comment;
  if (command.name === "unknown")
    return conclude(params, said, async (tx) => ({
      outcome: "unknown",
      text: (await wasListed(tx, { ...comment, outcome: "unknown" })) ? null : listFor(command.said),
    }));
  if (taskId === null) return withoutTask(params, repository, said);
  switch (command.name) {
    case "explain": {
      const text = explained(await params.ports.explain(taskId));
      return conclude(params, said, () => Promise.resolve({ outcome: "done", text }));
    }
    case "ask": {
      const result = await ask(params, said, taskId, command.text);
      return conclude(params, said, () => Promise.resolve(result));
    }
    case "priority": {
      const { rows } = await params.database.query<{ due_at: Date | null }>(
        "select due_at from miyabi.tasks where id = $1",
        [taskId],
      );
      await params.tasks.setClass(taskId, command.class, rows[0]?.due_at ?? null);
      return conclude(params, said, () => Promise.resolve(DONE));
    }
    case "stop":
      return params.ports.endingRunOf(taskId, () =>
        conclude(params, said, async (tx) => {
          const note = `/miyabi stop in #${comment.number}`;
          await params.tasks.happenIn(tx, taskId, () => ({ type: "cancel", by: comment.author, note }));
          return DONE;
        }),
      );
    case "retry":
      return conclude(params, said, async (tx) => {
        await params.tasks.happenIn(tx, taskId, () => ({ type: "retry", by: comment.author }));
        return DONE;
      });
    case "budget":
      return conclude(params, said, async (tx) => {
        const { micros } = command;
        await tx.query("update miyabi.tasks set budget_micros = $2, updated_at = now() where id = $1", [
          taskId,
          micros,
        ]);
        await appendEvents(tx, [
          { type: "task.changed", taskId, data: { budgetUsd: micros / 1_000_000, by: comment.author } },
        ]);
        return DONE;
      });
    case "approve":
      return conclude(params, said, (tx) => approve(params, tx, comment, taskId));
    case "use":
      return useText(params, repository, said, taskId);
  }
}

/** Records the command, does what `work` does, and has the comment answered, in one transaction. */
async function conclude(
  { database, random }: Readonly<CommandsParams>,
  { comment }: Said,
  work: (tx: Tx) => Promise<Result>,
): Promise<void> {
  await database.transaction(async (tx) => {
    if (!(await recordComment(tx, { ...comment, outcome: "done" }))) return;
    const { outcome, text } = await work(tx).catch((error: unknown): Result => {
      // Refused by the task's state, before anything was written.
      if (error instanceof AppError && error.code === "conflict.state") return refused(inWords(error));
      throw error;
    });
    if (outcome !== "done") await setOutcome(tx, comment, outcome);
    await answerComment(tx, random, comment.taskId, {
      repository: comment.repository,
      commentId: comment.id,
      number: comment.number,
      reaction: outcome === "done" ? "+1" : "confused",
      text,
    });
  });
}

const inWords = ({ message, fix }: AppError): string => quoted(fix === null ? message : `${message}\n${fix}`);

/** On an issue that has no task: look again, or say why there is none. */
async function withoutTask(
  params: Readonly<CommandsParams>,
  repository: HostedRepository,
  command: Said,
): Promise<void> {
  const { comment, issue } = command;
  const { name } = command.command;
  if (name === "use") {
    const { changedAt: at } = await readWords(repository, issue);
    const moved = at !== null && at > comment.writtenAt;
    await conclude(params, command, () => Promise.resolve(moved ? refused(CHANGED_SINCE) : DONE));
    return params.intake.lookAt(repository, issue);
  }
  if (name === "retry") await params.intake.lookAt(repository, issue);
  await conclude(params, command, async (tx) => {
    const outcome = await knownIntake(tx, { repository: comment.repository, number: issue });
    if (name === "retry" && outcome?.outcome === "taken") return DONE;
    const text = await params.intake.explain(repository, issue);
    return name === "explain" ? { outcome: "done", text } : refused(text);
  });
}

async function approve(
  { tasks }: Readonly<CommandsParams>,
  tx: Tx,
  comment: Comment,
  taskId: string,
): Promise<Result> {
  let result = DONE;
  let isPullRequest = false;
  await tasks.happenIn(tx, taskId, ({ task, steps }) => {
    const step = steps.find(({ name }) => name === task.currentStep);
    isPullRequest =
      (step?.kind === "wait-ci" || step?.kind === "merge") &&
      task.waitsFor !== "person" &&
      task.waitsFor !== "approval";
    return isPullRequest ? null : { type: "approve", approve: true, note: "", by: comment.author };
  });
  if (!isPullRequest) return result;
  const { rows } = await tx.query<{ policy: string | null }>(
    `update miyabi.github_pull_requests p set approved_commit = t.head_commit, changed_at = now()
     from miyabi.tasks t where t.id = p.task_id and t.id = $1
     returning (select s ->> 'policy' from jsonb_array_elements(t.workflow -> 'steps') as s where s ->> 'kind' = 'merge' limit 1) as policy`,
    [taskId],
  );
  if (rows.length === 0) result = refused("It has no pull request yet.");
  if (rows[0]?.policy === "never")
    result = refused("Pull requests of this repository are merged by a person: merge it on GitHub.");
  return result;
}

/** Takes the issue's text as it is now, also where an agent works with an older one. */
async function useText(
  params: Readonly<CommandsParams>,
  repository: HostedRepository,
  command: Said,
  taskId: string,
): Promise<void> {
  const { comment, issue } = command;
  const read = await readWords(repository, issue);
  const isLater = read.changedAt !== null && read.changedAt > comment.writtenAt;
  await params.ports.endingRunOf(taskId, () =>
    conclude(params, command, async (tx) => {
      if (isLater) return refused(CHANGED_SINCE);
      const { title, body } = read;
      await params.tasks.happenIn(tx, taskId, () => ({
        type: "text-changed",
        by: comment.author,
        text: `${title}\n\n${body}`,
      }));
      await keepWords(tx, taskId, read);
      return DONE;
    }),
  );
}

async function ask(
  params: Readonly<CommandsParams>,
  { comment }: Said,
  taskId: string,
  text: string,
): Promise<Result> {
  const { rows } = await params.database.query<{ slot: string }>(
    "select slot from miyabi.runs where task_id = $1 and kind = 'agent' and state in ('leased', 'running') and slot is not null",
    [taskId],
  );
  const slot = rows[0]?.slot;
  if (slot === undefined) {
    const { summary } = await params.ports.explain(taskId);
    return refused(`No agent works on it now, so nobody can answer.\n\n${quoted(summary)}`);
  }
  await params.ports.tell(
    slot,
    `${comment.author} asks in #${comment.number}:\n${text}\n\nAnswer with send_message to \`person\`, then go on with your work.`,
    { from: "person", idempotencyKey: `github:${comment.repository}:${comment.id}` },
  );
  return DONE;
}

function listFor(said: string): string {
  const shown = said.replace(/[`\n]/g, " ").slice(0, 60);
  return `${shown === "" ? "These are the commands" : `I do not know \`/miyabi ${shown}\`. These are the commands`}:\n\n${COMMAND_LIST}`;
}

function explained({ summary, reasons, next }: Explanation): string {
  const more = reasons.filter(({ message }) => message !== summary).map(({ message }) => `- ${message}`);
  const steps = next.map((one) => `- ${one}`);
  const text = [summary, ...more, ...(steps.length === 0 ? [] : ["What would move it:", ...steps])];
  return quoted(text.join("\n"));
}

import { AppError, type Clock } from "../base/index.ts";
import type { QuestionView } from "../contract/index.ts";
import { notify, type Database, type Notifier, type Tx } from "../store/index.ts";
import { appendEvents } from "../tasks/index.ts";
import { pageOfRows, parseCursor, type Page } from "./mailboxes.ts";
import {
  insertQuestion,
  selectQuestion,
  selectQuestions,
  toQuestionView,
  type QuestionFilter,
  type QuestionRow,
} from "./question-rows.ts";

/** Channel on which a question's id is announced when it was asked, answered or withdrawn. */
export const QUESTIONS_CHANNEL = "miyabi_questions";

export interface AskParams {
  readonly kind: QuestionView["kind"];
  readonly taskId: string;
  readonly runId: string | null;
  /** Slot or part that asks, for people. */
  readonly asker: string;
  readonly text: string;
  /** Offered answers; for a permission or an approval nothing else is an answer, for a question they are suggestions. */
  readonly options: readonly string[];
  /**
   * Asking again with the same key is the same question, answered or not; an approval only while it is open, and a
   * withdrawn question never. At most 200 characters; null: every call is a question.
   */
  readonly dedupeKey: string | null;
}

/** What has become of a question. */
export type Answer =
  | { readonly state: "answered"; readonly answer: string; readonly answeredBy: string }
  | { readonly state: "waiting" }
  | { readonly state: "withdrawn"; readonly reason: string };

export interface Questions {
  ask(params: Readonly<AskParams>): Promise<QuestionView>;
  /** The same within a transaction of the caller. */
  askIn(tx: Tx, params: Readonly<AskParams>): Promise<QuestionView>;
  /**
   * Answers for good. The same answer again changes nothing and gives the question as it is.
   * @throws not_found; input.invalid where the answer is none of a permission's or approval's options; conflict.state
   * where it was answered differently or withdrawn.
   */
  answer(params: {
    readonly id: string;
    readonly answer: string;
    readonly answeredBy: string;
  }): Promise<QuestionView>;
  /** The same within a transaction of the caller. */
  answerIn(
    tx: Tx,
    params: { readonly id: string; readonly answer: string; readonly answeredBy: string },
  ): Promise<QuestionView>;
  /** Null where there is none. */
  find(
    by: { readonly id: string } | { readonly dedupeKey: string },
  ): Promise<{ readonly question: QuestionView; readonly answer: Answer } | null>;
  /** Newest first. @throws input.invalid for a cursor that is none. */
  list(
    params: QuestionFilter & { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<QuestionView>>;
  /** Ends what is still open, because nobody needs the answer any more. */
  withdrawIn(
    tx: Tx,
    params: {
      readonly of: { readonly taskId: string } | { readonly runId: string };
      readonly kind?: QuestionView["kind"];
      readonly reason: string;
    },
  ): Promise<void>;
  /** Resolves with the answer as soon as there is one, or with `waiting` after `timeoutMs` or when `signal` aborts. @throws not_found */
  waitForAnswer(params: {
    readonly id: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<Answer>;
}

export interface QuestionsParams {
  readonly database: Database;
  /** Best not started yet, so that no answer of the first moment is missed. */
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly clock: Clock;
  /** What must happen in the same transaction, e.g. that the task waits for a person. */
  readonly onAsked?: (tx: Tx, question: QuestionView) => Promise<void>;
  readonly onAnswered?: (tx: Tx, question: QuestionView) => Promise<void>;
}

/** Questions to people, kept until they are answered or nobody needs them any more. */
export function createQuestions(params: Readonly<QuestionsParams>): Questions {
  const { database, clock } = params;
  const waiters = createWaiters(params.notifier);

  const change = async (tx: Tx, question: QuestionView, type: "question.asked" | "question.answered") => {
    await appendEvents(tx, [
      {
        type,
        taskId: question.taskId,
        runId: question.runId,
        data: { questionId: question.id, kind: question.kind, answer: question.answer },
      },
    ]);
    await notify(tx, QUESTIONS_CHANNEL, question.id);
  };

  const askIn: Questions["askIn"] = async (tx, asked) => {
    if (asked.dedupeKey !== null) {
      const known = await selectQuestion(tx, { dedupeKey: asked.dedupeKey });
      if (known !== null) return toQuestionView(known);
    }
    const id = await insertQuestion(tx, asked);
    const row =
      id === null
        ? await selectQuestion(tx, { dedupeKey: asked.dedupeKey ?? "" })
        : await selectQuestion(tx, { id });
    if (row === null) throw new AppError({ code: "internal.bug", message: "A question vanished." });
    const question = toQuestionView(row);
    if (id === null) return question;
    await change(tx, question, "question.asked");
    await params.onAsked?.(tx, question);
    return question;
  };

  const answerIn: Questions["answerIn"] = async (tx, { id, answer, answeredBy }) => {
    const before = await selectQuestion(tx, { id });
    if (before === null) throw new AppError({ code: "not_found", message: `There is no question ${id}.` });
    checkOption(before, answer);
    const { rowCount } = await tx.query(
      `update miyabi.questions set answer = $2, answered_by = $3, answered_at = now(),
         dedupe_key = case when kind = 'approval' then null else dedupe_key end
       where id = $1 and answer is null and withdrawn_at is null`,
      [id, answer, answeredBy],
    );
    const row = (await selectQuestion(tx, { id })) ?? before;
    const question = toQuestionView(row);
    if (rowCount === 0) {
      if (row.answer === answer) return question;
      throw alreadyClosed(row);
    }
    await change(tx, question, "question.answered");
    await params.onAnswered?.(tx, question);
    return question;
  };

  const answerOf = async (id: string): Promise<Answer> => {
    const row = await selectQuestion(database, { id });
    if (row === null) throw new AppError({ code: "not_found", message: `There is no question ${id}.` });
    return stateOf(row);
  };

  return {
    askIn,
    ask: (asked) => database.transaction((tx) => askIn(tx, asked)),
    answerIn,
    answer: (given) => database.transaction((tx) => answerIn(tx, given)),
    find: async (by) => {
      const row = await selectQuestion(database, by);
      return row === null ? null : { question: toQuestionView(row), answer: stateOf(row) };
    },
    list: async ({ cursor, limit, ...filter }) => {
      const rows = await selectQuestions(database, filter, parseCursor(cursor), limit + 1);
      return pageOfRows(rows, limit, toQuestionView);
    },
    withdrawIn: async (tx, { of, kind, reason }) => {
      const [column, value] = "taskId" in of ? ["task_id", of.taskId] : ["run_id", of.runId];
      const { rows } = await tx.query<{ id: string; task_id: string; run_id: string | null }>(
        `update miyabi.questions set withdrawn_at = now(), withdrawn_reason = $2, dedupe_key = null
         where ${column} = $1 and answer is null and withdrawn_at is null and ($3::text is null or kind = $3)
         returning id, task_id, run_id`,
        [value, reason, kind ?? null],
      );
      await appendEvents(
        tx,
        rows.map((row) => ({
          type: "question.answered" as const,
          taskId: row.task_id,
          runId: row.run_id,
          data: { questionId: row.id, withdrawn: reason },
        })),
      );
      for (const row of rows) await notify(tx, QUESTIONS_CHANNEL, row.id);
    },
    waitForAnswer: async ({ id, timeoutMs, signal }) => {
      const end = clock.monotonicMs() + timeoutMs;
      for (;;) {
        const pause = new AbortController();
        const wake = (): void => pause.abort();
        // Before the row is read, so that an answer in between is not missed.
        waiters.add({ id, wake });
        signal?.addEventListener("abort", wake, { once: true });
        try {
          const answer = await answerOf(id);
          const restMs = end - clock.monotonicMs();
          if (answer.state !== "waiting" || restMs <= 0 || signal?.aborted === true) return answer;
          await clock.sleep(restMs, pause.signal).catch(() => {});
        } finally {
          waiters.remove(wake);
          signal?.removeEventListener("abort", wake);
        }
      }
    },
  };
}

interface Waiters {
  add(waiter: { readonly id: string; readonly wake: () => void }): void;
  remove(wake: () => void): void;
}

/** Subscribed once and for good: a channel that a running notifier does not know yet takes a moment to be heard. */
function createWaiters(notifier: Pick<Notifier, "subscribe">): Waiters {
  const waiting = new Map<() => void, string>();
  notifier.subscribe(QUESTIONS_CHANNEL, (notification) => {
    for (const [wake, id] of waiting)
      if (notification.kind === "missed" || notification.payload === id) wake();
  });
  return {
    add: ({ id, wake }) => void waiting.set(wake, id),
    remove: (wake) => void waiting.delete(wake),
  };
}

function stateOf(row: QuestionRow): Answer {
  if (row.answer !== null)
    return { state: "answered", answer: row.answer, answeredBy: row.answered_by ?? "unknown" };
  return row.withdrawn_reason === null
    ? { state: "waiting" }
    : { state: "withdrawn", reason: row.withdrawn_reason };
}

function checkOption(row: QuestionRow, answer: string): void {
  if (row.kind === "question" || row.options.length === 0 || row.options.includes(answer)) return;
  throw new AppError({
    code: "input.invalid",
    message: `The answer to ${row.id} must be one of: ${row.options.join(", ")}.`,
    details: { field: "answer", options: row.options },
  });
}

function alreadyClosed(row: QuestionRow): AppError {
  return new AppError({
    code: "conflict.state",
    message:
      row.answer === null
        ? `${row.id} needs no answer any more: ${row.withdrawn_reason}`
        : `${row.id} was already answered with "${row.answer}" by ${row.answered_by}.`,
    details: { answer: row.answer },
  });
}

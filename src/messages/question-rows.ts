import type { QuestionView } from "../contract/index.ts";
import type { Queryable, Tx } from "../store/index.ts";

export interface QuestionRow {
  readonly number: string;
  readonly id: string;
  readonly kind: QuestionView["kind"];
  readonly task_id: string;
  readonly task_title: string;
  readonly run_id: string | null;
  readonly asker: string;
  readonly text: string;
  readonly options: string[];
  readonly asked_at: Date;
  readonly answer: string | null;
  readonly answered_by: string | null;
  readonly answered_at: Date | null;
  readonly withdrawn_reason: string | null;
}

const SELECT = `select q.number::text, q.id, q.kind, q.task_id, t.title as task_title, q.run_id, q.asker, q.text,
    q.options, q.asked_at, q.answer, q.answered_by, q.answered_at, q.withdrawn_reason
  from miyabi.questions q join miyabi.tasks t on t.id = q.task_id`;

export function toQuestionView(row: QuestionRow): QuestionView {
  return {
    id: row.id,
    kind: row.kind,
    taskId: row.task_id,
    taskTitle: row.task_title,
    runId: row.run_id,
    asker: row.asker,
    text: row.text,
    options: row.options,
    askedAt: row.asked_at.toISOString(),
    answer: row.answer,
    answeredBy: row.answered_by,
    answeredAt: row.answered_at?.toISOString() ?? null,
  };
}

export async function selectQuestion(
  db: Queryable,
  by: { readonly id: string } | { readonly dedupeKey: string },
): Promise<QuestionRow | null> {
  const [column, value] = "id" in by ? ["id", by.id] : ["dedupe_key", by.dedupeKey];
  const { rows } = await db.query<QuestionRow>(`${SELECT} where q.${column} = $1`, [value]);
  return rows[0] ?? null;
}

interface InsertQuestion {
  readonly kind: QuestionView["kind"];
  readonly taskId: string;
  readonly runId: string | null;
  readonly asker: string;
  readonly text: string;
  readonly options: readonly string[];
  readonly dedupeKey: string | null;
}

/** The new question's id, or null where one with the same key was asked at the same moment. */
export async function insertQuestion(tx: Tx, question: InsertQuestion): Promise<string | null> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into miyabi.questions (kind, task_id, run_id, asker, text, options, dedupe_key)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (dedupe_key) do nothing returning id`,
    [
      question.kind,
      question.taskId,
      question.runId,
      question.asker,
      question.text,
      question.options,
      question.dedupeKey,
    ],
  );
  return rows[0]?.id ?? null;
}

export interface QuestionFilter {
  /** True: what waits for an answer; false: what was answered or withdrawn. */
  readonly open: boolean;
  readonly taskId?: string | undefined;
}

/** Newest first, before a number. */
export async function selectQuestions(
  db: Queryable,
  filter: QuestionFilter,
  before: string | null,
  limit: number,
): Promise<readonly QuestionRow[]> {
  const { rows } = await db.query<QuestionRow>(
    `${SELECT} where (q.answer is null and q.withdrawn_at is null) = $1
       and ($2::text is null or q.task_id = $2) and ($3::bigint is null or q.number < $3)
     order by q.number desc limit $4`,
    [filter.open, filter.taskId ?? null, before, limit],
  );
  return rows;
}

import { z } from "zod";
import { instant, questionId, runId, taskId } from "./primitives.ts";

/** Something only a person may decide: an agent's question, a permission request, an approval step. */
export const questionView = z.object({
  id: questionId,
  kind: z.enum(["question", "permission", "approval"]),
  taskId,
  taskTitle: z.string(),
  runId: runId.nullable(),
  asker: z.string(),
  text: z.string(),
  /** Offered answers; empty where any text is an answer. */
  options: z.array(z.string()),
  askedAt: instant,
  answer: z.string().nullable(),
  answeredBy: z.string().nullable(),
  answeredAt: instant.nullable(),
});
export type QuestionView = z.infer<typeof questionView>;

export const answerBody = z.strictObject({ answer: z.string().trim().min(1).max(20_000) });

export const messageView = z.object({
  id: z.string(),
  /** Counts up per recipient from 1 without gaps. */
  seq: z.number().int().positive(),
  sender: z.string(),
  recipient: z.string(),
  taskId: taskId.nullable(),
  body: z.string(),
  state: z.enum(["queued", "delivered", "acknowledged", "dead"]),
  attempts: z.number().int().nonnegative(),
  createdAt: instant,
  acknowledgedAt: instant.nullable(),
});
export type MessageView = z.infer<typeof messageView>;

import { z } from "zod";

/** An instant as ISO 8601 with offset, e.g. `2026-11-21T01:02:03.456Z`. */
export const instant = z.iso.datetime({ offset: true });

/** `T12`: the number counts up per installation. */
export const taskId = z.string().regex(/^T[1-9]\d*$/, "a task id looks like T12");
export const runId = z.string().regex(/^R[1-9]\d*$/, "a run id looks like R34");
export const questionId = z.string().regex(/^Q[1-9]\d*$/, "a question id looks like Q5");
/** A slot of the team, e.g. `kaede`, `kaede-2`. */
export const slotId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, "an agent's name has small letters, digits and dashes");

/** USD × 10⁻⁶; null where a price is not known (never 0 for "unknown"). */
export const costMicros = z.number().int().nonnegative().nullable();

/** Urgency class; each has a default SLA: P0 24 h, P1 3 d, P2 7 d. */
export const TASK_CLASSES = ["P0", "P1", "P2"] as const;
export const taskClass = z.enum(TASK_CLASSES);

/** Text for people in both languages is chosen in the console by `code`; `params` fill its placeholders. */
export const reason = z.object({
  /** e.g. `dependency.not_merged`, `retry.backoff`, `target.dirty`. */
  code: z.string(),
  /** English sentence, complete, for logs and the command line. */
  message: z.string(),
  params: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
    .default({}),
  /** A command to paste or a place to look, or null. */
  fix: z.string().nullable().default(null),
});
export type Reason = z.infer<typeof reason>;

/** Cursor-paged list. `nextCursor` is null on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

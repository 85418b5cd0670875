import { z } from "zod";
import { instant, pageOf, taskId } from "./primitives.ts";

/** Where it could not be delivered: to GitHub (`outbox`), from GitHub to us (`webhook`), to an agent (`message`). */
export const DEAD_LETTER_KINDS = ["outbox", "webhook", "message"] as const;

/** `outbox-12`, `webhook-<id of the delivery>`, `message-M5`. */
export const deadLetterId = z
  .string()
  .regex(/^(outbox|webhook|message)-[\w-]{1,100}$/, "a dead letter's id looks like outbox-12 or message-M5");

/** Something that was given up after its last try, and waits for a person's decision. */
export const deadLetterView = z.object({
  id: deadLetterId,
  kind: z.enum(DEAD_LETTER_KINDS),
  /** What it is, e.g. `pull-request`, `issue_comment`; a message's sender. */
  what: z.string(),
  /** What it was for, e.g. `issue:octo/menu#3`; a message's recipient. */
  target: z.string(),
  taskId: taskId.nullable(),
  /** Why the last try failed. */
  error: z.string(),
  attempts: z.number().int().nonnegative(),
  createdAt: instant,
  /** When it was given up. */
  diedAt: instant,
});
export type DeadLetterView = z.infer<typeof deadLetterView>;

const one = z.object({ id: deadLetterId });

/** Outbox, webhooks and messages in one list. */
export const DEAD_LETTER_ROUTES = {
  listDeadLetters: {
    method: "GET",
    path: "/api/dead-letters",
    permission: "view",
    summary: "What was given up after its last try, of outbox, webhooks and messages, the newest first.",
    query: z.object({
      cursor: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      kind: z.enum(DEAD_LETTER_KINDS).optional(),
    }),
    response: pageOf(deadLetterView),
  },
  getDeadLetter: {
    method: "GET",
    path: "/api/dead-letters/:id",
    permission: "view",
    summary: "One of them, with what it says.",
    params: one,
    response: deadLetterView.extend({ content: z.string() }),
  },
  retryDeadLetter: {
    method: "POST",
    path: "/api/dead-letters/:id/retry",
    permission: "operate",
    summary: "Tries it again. What an earlier try has brought about is found by its marker and not repeated.",
    params: one,
    body: z.object({}),
    response: deadLetterView,
  },
  discardDeadLetter: {
    method: "POST",
    path: "/api/dead-letters/:id/discard",
    permission: "operate",
    summary: "Lists it no more: nobody needs it.",
    params: one,
    body: z.object({}),
    response: deadLetterView,
  },
} as const;

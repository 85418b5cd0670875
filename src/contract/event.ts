import { z } from "zod";
import { instant, runId, slotId, taskId } from "./primitives.ts";

export const EVENT_TYPES = [
  "task.created",
  "task.changed",
  "task.merged",
  "pull_request.changed",
  "step.changed",
  "run.queued",
  "run.leased",
  "run.started",
  "run.finished",
  "run.lost",
  "question.asked",
  "question.answered",
  "message.changed",
  "agent.changed",
  "dead_letter.changed",
  "repository.changed",
  "system.changed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * One entry of the append-only history. `id` is a cursor (`<transaction>-<number>`): ids of one stream only grow,
 * and reading "after id" never misses an event, whatever order transactions committed in.
 */
export const eventView = z.object({
  id: z.string().regex(/^\d+-\d+$/),
  at: instant,
  type: z.enum(EVENT_TYPES),
  taskId: taskId.nullable(),
  runId: runId.nullable(),
  slot: slotId.nullable(),
  /** Facts of the change, e.g. `{from, to, reason}`. */
  data: z.record(z.string(), z.unknown()),
});
export type EventView = z.infer<typeof eventView>;

/**
 * What `GET /api/events` (SSE) sends: `event: event` with an `eventView` and its id; `event: transcript` with
 * `{runId, lastSeq}` when a run has new transcript items, and `event: gateway` when calls, keys or providers of the gateway
 * have changed (not part of the history, so without an id).
 */
export const transcriptSignal = z.object({ runId, lastSeq: z.number().int() });
export type TranscriptSignal = z.infer<typeof transcriptSignal>;

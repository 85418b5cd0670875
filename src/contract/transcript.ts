import { z } from "zod";
import { instant, runId, slotId, taskId } from "./primitives.ts";

/**
 * What happened in a run, in order. Shaped like ACP v2: a tool call is an upsert by its id, so a viewer
 * keeps the last item of each `toolCallId` at the place of its first.
 * Text is data: control sequences are stripped before it is stored.
 */
export const transcriptBody = z.discriminatedUnion("kind", [
  /** From the host about itself: clone made, sandbox started, blocked host, resumed session. */
  z.object({ kind: z.literal("notice"), level: z.enum(["info", "warn", "error"]), text: z.string() }),
  /** What the agent was asked. */
  z.object({ kind: z.literal("prompt"), text: z.string() }),
  /** Words of the agent; consecutive chunks are already joined. */
  z.object({ kind: z.literal("text"), text: z.string() }),
  z.object({ kind: z.literal("thought"), text: z.string() }),
  z.object({
    kind: z.literal("tool"),
    toolCallId: z.string(),
    title: z.string(),
    /** ACP's tool kinds. */
    tool: z.enum(["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other"]),
    status: z.enum(["pending", "running", "completed", "failed"]),
    /** Input as JSON or command text, cut to 4 KB; null while unknown. */
    input: z.string().nullable(),
    /** Output text, cut to 16 KB; null while it runs. */
    output: z.string().nullable(),
    diffs: z.array(z.object({ path: z.string(), oldText: z.string().nullable(), newText: z.string() })),
  }),
  z.object({
    kind: z.literal("plan"),
    entries: z.array(z.object({ text: z.string(), status: z.enum(["pending", "in_progress", "completed"]) })),
  }),
  z.object({
    kind: z.literal("permission"),
    requestId: z.string(),
    title: z.string(),
    decision: z.enum(["asked", "allowed", "denied", "cancelled"]),
    by: z.enum(["policy", "person"]).nullable(),
  }),
  /** Output of a check, prepare or command. `exitCode` comes once, at the end of the command. */
  z.object({
    kind: z.literal("command"),
    command: z.string(),
    output: z.string(),
    exitCode: z.number().int().nullable(),
    durationMs: z.number().int().nonnegative().nullable(),
    cached: z.boolean(),
  }),
  /** Typed by a person into the pane or the console. */
  z.object({ kind: z.literal("person"), text: z.string() }),
  z.object({ kind: z.literal("result"), verdict: z.string(), notes: z.string() }),
  z.object({
    kind: z.literal("usage"),
    tokensIn: z.number().int().nullable(),
    tokensOut: z.number().int().nullable(),
  }),
  z.object({
    kind: z.literal("end"),
    outcome: z.enum(["succeeded", "failed", "cancelled"]),
    text: z.string(),
  }),
]);
export type TranscriptBody = z.infer<typeof transcriptBody>;

export const transcriptItem = z.object({
  /** Counts up per run from 1 without gaps. */
  seq: z.number().int().positive(),
  at: instant,
  body: transcriptBody,
});
export type TranscriptItem = z.infer<typeof transcriptItem>;

/** A transcript item with where it happened, for reading across runs. */
export const logItem = transcriptItem.extend({
  runId,
  taskId,
  step: z.string(),
  slot: slotId.nullable(),
});
export type LogItem = z.infer<typeof logItem>;

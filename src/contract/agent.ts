import { z } from "zod";
import { instant, reason, runId, slotId, taskId } from "./primitives.ts";

export const SLOT_STATES = ["starting", "idle", "busy", "parked", "draining", "taken-over", "down"] as const;

export const agentView = z.object({
  slot: slotId,
  /** Latin name, e.g. `Kaede`. */
  name: z.string(),
  /** Japanese name, e.g. `カエデ`. */
  nameJa: z.string(),
  role: z.string(),
  /** CSS colour of the agent in panes, transcripts and graphs. */
  color: z.string(),
  profile: z.string(),
  state: z.enum(SLOT_STATES),
  reason: reason.nullable(),
  taskId: taskId.nullable(),
  taskTitle: z.string().nullable(),
  step: z.string().nullable(),
  runId: runId.nullable(),
  lastEvent: z.string().nullable(),
  hostPid: z.number().int().nullable(),
  connectedAt: instant.nullable(),
  lastHeartbeatAt: instant.nullable(),
  runtime: z.enum(["tmux", "process"]),
  /** Shell command that shows the agent's pane; null under the process runtime. */
  attachCommand: z.string().nullable(),
  /** Busy spans of the last 24 h, oldest first. */
  history: z.array(z.object({ from: instant, to: instant.nullable(), taskId })),
});
export type AgentView = z.infer<typeof agentView>;

/** One frame of a pane, with ANSI colour sequences; sent again only when it changed. */
export const agentScreen = z.object({
  slot: slotId,
  columns: z.number().int(),
  rows: z.number().int(),
  content: z.string(),
});
export type AgentScreen = z.infer<typeof agentScreen>;

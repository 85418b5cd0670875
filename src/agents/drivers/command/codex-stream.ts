import { z } from "zod";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { LineParser } from "./line-meaning.ts";
import { toolEvent } from "./tool-event.ts";

/* `codex exec --json`: thread, turn and item events; an item is started, updated and completed under one id. */

const text = z.string().optional().catch(undefined);
const item = z.looseObject({
  id: z.string(),
  type: z.string(),
  text,
  command: text,
  aggregated_output: text,
  exit_code: z.number().nullish().catch(null),
  status: text,
  changes: z
    .array(z.looseObject({ path: z.string(), kind: text }))
    .optional()
    .catch(undefined),
  server: text,
  tool: text,
  query: text,
  message: text,
  items: z
    .array(z.looseObject({ text: z.string(), completed: z.boolean().catch(false) }))
    .optional()
    .catch(undefined),
});
type Item = z.infer<typeof item>;
const count = z.number().nonnegative().catch(0).default(0);

const line = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("thread.started"), thread_id: z.string() }),
  z.looseObject({ type: z.literal("turn.started") }),
  z.looseObject({
    type: z.literal("turn.completed"),
    usage: z.looseObject({ input_tokens: count, output_tokens: count }).optional().catch(undefined),
  }),
  z.looseObject({
    type: z.literal("turn.failed"),
    error: z.looseObject({ message: z.string() }).catch({ message: "The turn failed." }),
  }),
  z.looseObject({ type: z.literal("error"), message: z.string() }),
  z.looseObject({ type: z.literal("item.started"), item }),
  z.looseObject({ type: z.literal("item.updated"), item }),
  z.looseObject({ type: z.literal("item.completed"), item }),
]);

export const parseCodexLine: LineParser = (value) => {
  const parsed = line.safeParse(value);
  if (!parsed.success) return null;
  const data = parsed.data;
  switch (data.type) {
    case "thread.started":
      return { events: [], sessionId: data.thread_id };
    case "turn.started":
      return { events: [] };
    case "turn.completed": {
      if (data.usage === undefined) return { events: [] };
      const usage = { tokensIn: data.usage.input_tokens, tokensOut: data.usage.output_tokens };
      return { events: [{ kind: "usage", ...usage }], usage };
    }
    case "turn.failed":
      return { events: [], error: data.error.message };
    case "error":
      // Codex also says "Reconnecting… 1/5" this way; only `turn.failed` ends the turn.
      return { events: [{ kind: "notice", level: "warn", text: data.message.slice(0, 2_000) }] };
    default:
      return { events: itemEvents(data.item, data.type === "item.completed") };
  }
};

function itemEvents(data: Item, completed: boolean): TranscriptBody[] {
  switch (data.type) {
    case "agent_message":
      return completed ? [{ kind: "text", text: data.text ?? "" }] : [];
    case "reasoning":
      return completed ? [{ kind: "thought", text: data.text ?? "" }] : [];
    case "todo_list":
      return [
        {
          kind: "plan",
          entries: (data.items ?? []).map((entry) => ({
            text: entry.text,
            status: entry.completed ? "completed" : "pending",
          })),
        },
      ];
    case "error":
      return [{ kind: "notice", level: "warn", text: (data.message ?? "").slice(0, 2_000) }];
    default:
      return [toolOf(data, completed)];
  }
}

function toolOf(data: Item, completed: boolean): TranscriptBody {
  const failed = data.status === "failed" || (typeof data.exit_code === "number" && data.exit_code !== 0);
  const common = {
    toolCallId: data.id,
    status: !completed ? ("running" as const) : failed ? ("failed" as const) : ("completed" as const),
    output: data.aggregated_output ?? (completed ? "" : null),
  };
  switch (data.type) {
    case "command_execution":
      return toolEvent({
        ...common,
        title: data.command ?? "command",
        tool: "execute",
        input: data.command ?? null,
      });
    case "file_change": {
      const paths = (data.changes ?? []).map((change) => `${change.kind ?? "change"} ${change.path}`);
      return toolEvent({ ...common, title: paths.join(", ") || "file change", tool: "edit" });
    }
    case "mcp_tool_call":
      return toolEvent({ ...common, title: `${data.server ?? "mcp"}.${data.tool ?? "tool"}` });
    case "web_search":
      return toolEvent({ ...common, title: data.query ?? "web search", tool: "search" });
    default:
      return toolEvent({ ...common, title: data.type });
  }
}

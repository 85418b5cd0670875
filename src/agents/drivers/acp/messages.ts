import { z } from "zod";

/*
 * What we read of an agent's messages. Agents are untrusted and of many versions, so every field that we can do without may
 * be missing or of a kind that we do not know; the SDK's own schemas would reject the whole message instead.
 */

const text = z.string();
const optionalText = z.string().nullish().catch(null);

export const TOOL_KINDS = [
  "read",
  "edit",
  "delete",
  "move",
  "search",
  "execute",
  "think",
  "fetch",
  "other",
] as const;

const contentBlock = z.looseObject({
  type: text,
  text: optionalText,
  uri: optionalText,
  name: optionalText,
  mimeType: optionalText,
  resource: z.looseObject({ uri: optionalText, text: optionalText }).nullish().catch(null),
});
export type ContentBlock = z.infer<typeof contentBlock>;

const toolContent = z.looseObject({
  type: text,
  content: contentBlock.nullish().catch(null),
  path: optionalText,
  oldText: optionalText,
  newText: optionalText,
});

/** A command's output since the last update, as Codex sends it: an extension for clients that show terminals. */
const toolMeta = z.looseObject({
  terminal_output_delta: z.looseObject({ data: text }).nullish().catch(null),
});

const toolCall = z.looseObject({
  toolCallId: text,
  title: optionalText,
  kind: z.enum(TOOL_KINDS).nullish().catch("other"),
  status: z.enum(["pending", "in_progress", "completed", "failed"]).nullish().catch(null),
  content: z.array(toolContent).nullish().catch(null),
  locations: z
    .array(z.looseObject({ path: text }))
    .nullish()
    .catch(null),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  _meta: toolMeta.nullish().catch(null),
});
export type ToolCallMessage = z.infer<typeof toolCall>;

const planEntries = z
  .array(
    z.looseObject({
      content: text,
      status: z.enum(["pending", "in_progress", "completed"]).catch("pending"),
    }),
  )
  .catch([]);

const chunk = { content: contentBlock, messageId: optionalText };
export const sessionUpdate = z.discriminatedUnion("sessionUpdate", [
  z.looseObject({ sessionUpdate: z.literal("agent_message_chunk"), ...chunk }),
  z.looseObject({ sessionUpdate: z.literal("agent_thought_chunk"), ...chunk }),
  z.looseObject({ sessionUpdate: z.literal("user_message_chunk"), ...chunk }),
  toolCall.extend({ sessionUpdate: z.literal("tool_call") }),
  toolCall.extend({ sessionUpdate: z.literal("tool_call_update") }),
  z.looseObject({ sessionUpdate: z.literal("plan"), entries: planEntries }),
  z.looseObject({
    sessionUpdate: z.literal("plan_update"),
    plan: z.looseObject({ entries: planEntries }),
  }),
]);

/** `update` stays unread here: kinds that we do not know are no error. */
export const sessionNotification = z.looseObject({ sessionId: text, update: z.unknown().optional() });

export const permissionParams = z.looseObject({
  toolCall: toolCall.partial({ toolCallId: true }).catch({ rawInput: undefined, rawOutput: undefined }),
  options: z
    .array(z.looseObject({ optionId: text, name: z.string().catch(""), kind: z.string().catch("") }))
    .catch([]),
});
export type PermissionParams = z.infer<typeof permissionParams>;

export const initializeResult = z.looseObject({
  protocolVersion: z.number(),
  agentCapabilities: z
    .looseObject({
      loadSession: z.boolean().catch(false),
      mcpCapabilities: z.looseObject({ http: z.boolean().catch(false) }).catch({ http: false }),
      sessionCapabilities: z.looseObject({ resume: z.unknown().optional() }).catch({ resume: undefined }),
    })
    .catch({
      loadSession: false,
      mcpCapabilities: { http: false },
      sessionCapabilities: { resume: undefined },
    }),
});
export type InitializeResult = z.infer<typeof initializeResult>;

const configOption = z.looseObject({
  id: text,
  category: optionalText,
  currentValue: z.unknown().optional(),
  /** Plain options or groups of options. */
  options: z
    .array(
      z.looseObject({
        value: optionalText,
        options: z
          .array(z.looseObject({ value: optionalText }))
          .nullish()
          .catch(null),
      }),
    )
    .catch([]),
});
export const sessionState = z.looseObject({
  sessionId: optionalText,
  modes: z
    .looseObject({
      currentModeId: optionalText,
      availableModes: z.array(z.looseObject({ id: text })).catch([]),
    })
    .nullish()
    .catch(null),
  configOptions: z.array(configOption).nullish().catch(null),
});
export type SessionState = z.infer<typeof sessionState>;

const count = z.number().nonnegative().nullish().catch(null);
export const promptResult = z.looseObject({
  stopReason: text,
  usage: z
    .looseObject({
      inputTokens: count,
      outputTokens: count,
      cachedReadTokens: count,
      cachedWriteTokens: count,
    })
    .nullish()
    .catch(null),
});

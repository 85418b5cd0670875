import type { AgentContext, SessionUpdate } from "@agentclientprotocol/sdk";
import { setTimeout as delay } from "node:timers/promises";
import type { McpClient } from "./mcp-client.ts";

type ToolKind = "read" | "edit" | "delete" | "execute" | "other";
type ToolDiff = { readonly path: string; readonly oldText: string | null; readonly newText: string };

interface ToolParams {
  readonly title: string;
  readonly kind: ToolKind;
  readonly input: unknown;
}
export interface ToolResult {
  readonly output: string;
  readonly ok: boolean;
  readonly diff?: ToolDiff;
}

interface TurnParams {
  readonly client: AgentContext;
  readonly sessionId: string;
  readonly cwd: string;
  readonly mcp: McpClient | null;
  readonly signal: AbortSignal;
  /** Pause after each tool call, so that a person can follow. */
  readonly paceMs: number;
  readonly newId: () => string;
}

/** What one turn can do towards the client. */
export interface Turn {
  readonly cwd: string;
  readonly signal: AbortSignal;
  think(text: string): Promise<void>;
  say(text: string): Promise<void>;
  plan(entries: readonly string[], done: number): Promise<void>;
  wait(ms: number): Promise<void>;
  /** Shows a tool call while `work` runs. A throw fails the call and is returned as its output, except an abort. */
  tool(params: ToolParams, work: () => Promise<ToolResult>): Promise<ToolResult>;
  /** Calls a tool of the product's MCP server, shown as a tool call. */
  report(tool: string, args: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  isAllowed(title: string): Promise<boolean>;
  /** All that was said so far. */
  said(): string;
}

export function createTurn(params: Readonly<TurnParams>): Turn {
  const { client, sessionId, signal, mcp } = params;
  let said = "";
  const update = async (body: SessionUpdate): Promise<void> => {
    signal.throwIfAborted();
    await client.notify("session/update", { sessionId, update: body });
  };
  const tool: Turn["tool"] = async ({ title, kind, input }, work) => {
    const toolCallId = params.newId();
    await update({
      sessionUpdate: "tool_call",
      toolCallId,
      title,
      kind,
      status: "in_progress",
      rawInput: input,
    });
    const result = await work().catch((error: unknown): ToolResult => {
      signal.throwIfAborted();
      return { ok: false, output: error instanceof Error ? error.message : String(error) };
    });
    await update({
      sessionUpdate: "tool_call_update",
      toolCallId,
      status: result.ok ? "completed" : "failed",
      content: [
        ...(result.diff === undefined ? [] : [{ type: "diff" as const, ...result.diff }]),
        ...(result.output === ""
          ? []
          : [{ type: "content" as const, content: { type: "text" as const, text: result.output } }]),
      ],
    });
    if (params.paceMs > 0) await delay(params.paceMs, undefined, { signal });
    return result;
  };
  return {
    cwd: params.cwd,
    signal,
    think: (text) =>
      update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text: `${text}\n` } }),
    say: async (text) => {
      said += `${text}\n`;
      await update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: `${text}\n` } });
    },
    plan: (entries, done) =>
      update({
        sessionUpdate: "plan",
        entries: entries.map((content, index) => ({
          content,
          priority: "medium" as const,
          status: index < done ? "completed" : index === done ? "in_progress" : "pending",
        })),
      }),
    wait: async (ms) => {
      await delay(ms, undefined, { signal });
    },
    tool,
    report: (name, args) =>
      tool({ title: name, kind: "other", input: args }, async () => {
        if (mcp === null) throw new Error("The client gave no MCP server, so nothing can be reported.");
        return { ok: true, output: await mcp.call(name, args, signal) };
      }),
    isAllowed: async (title) => {
      const { outcome } = await client.request("session/request_permission", {
        sessionId,
        toolCall: { toolCallId: params.newId(), title, kind: "execute", status: "pending" },
        options: [
          { optionId: "allow", name: "Allow", kind: "allow_once" },
          { optionId: "reject", name: "Do not allow", kind: "reject_once" },
        ],
      });
      signal.throwIfAborted();
      return outcome.outcome === "selected" && outcome.optionId === "allow";
    },
    said: () => said,
  };
}

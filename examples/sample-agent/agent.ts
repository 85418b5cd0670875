import { agent, PROTOCOL_VERSION, RequestError, type AgentApp } from "@agentclientprotocol/sdk";
import { randomUUID } from "node:crypto";
import { createMcpClient, type McpClient } from "./mcp-client.ts";
import { loadSession, saveSession, type StoredSession } from "./session-store.ts";
import { createTurn } from "./turn.ts";
import { work, type Verdict } from "./work.ts";

interface OpenSession {
  readonly stored: StoredSession;
  readonly mcp: McpClient | null;
  running: AbortController | null;
  /** Its last verdict, while nobody has taken it. */
  unreported: Verdict | null;
}

interface SampleAgentParams {
  /** Private home; sessions are kept in it. */
  readonly home: string;
  readonly paceMs: number;
}

type McpServers = readonly { readonly name: string; readonly type?: string; readonly url?: string }[];

function connectMcp(servers: McpServers): McpClient | null {
  const server = servers.find((candidate) => candidate.type === "http");
  return server?.url === undefined ? null : createMcpClient(server.url);
}

export interface SampleAgent {
  readonly app: AgentApp;
  /** Ends every running turn and its commands. */
  stop(): void;
}

/** The sample agent as an ACP application. */
export function createSampleAgent({ home, paceMs }: Readonly<SampleAgentParams>): SampleAgent {
  const sessions = new Map<string, OpenSession>();
  const findSession = (sessionId: string): OpenSession => {
    const session = sessions.get(sessionId);
    if (session === undefined) throw RequestError.sessionNotFound(sessionId);
    return session;
  };
  const reopen = async (sessionId: string, servers: McpServers): Promise<StoredSession> => {
    const stored = await loadSession(home, sessionId).catch(() => {
      throw RequestError.sessionNotFound(sessionId);
    });
    sessions.set(sessionId, { stored, mcp: connectMcp(servers), running: null, unreported: null });
    return stored;
  };
  const app = agent({ name: "sample-agent" })
    .onRequest("initialize", () => ({
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: "sample-agent", title: "Sample agent (no model)", version: "1.0.0" },
      agentCapabilities: {
        loadSession: true,
        mcpCapabilities: { http: true },
        sessionCapabilities: { resume: {} },
      },
    }))
    .onRequest("session/new", async ({ params }) => {
      const stored = { sessionId: randomUUID(), cwd: params.cwd, turns: [] };
      await saveSession(home, stored);
      sessions.set(stored.sessionId, {
        stored,
        mcp: connectMcp(params.mcpServers),
        running: null,
        unreported: null,
      });
      return { sessionId: stored.sessionId };
    })
    .onRequest("session/resume", async ({ params }) => {
      await reopen(params.sessionId, params.mcpServers ?? []);
      return {};
    })
    .onRequest("session/load", async ({ params, client }) => {
      const { sessionId } = params;
      const stored = await reopen(sessionId, params.mcpServers);
      for (const turn of stored.turns) {
        const replay = (sessionUpdate: "user_message_chunk" | "agent_message_chunk", text: string) =>
          client.notify("session/update", {
            sessionId,
            update: { sessionUpdate, content: { type: "text", text } },
          });
        await replay("user_message_chunk", turn.prompt);
        await replay("agent_message_chunk", turn.said);
      }
      return {};
    })
    .onNotification("session/cancel", ({ params }) => {
      sessions.get(params.sessionId)?.running?.abort(new Error("cancelled"));
    })
    .onRequest("session/prompt", async ({ params, client, signal }) => {
      const { sessionId } = params;
      const session = findSession(sessionId);
      if (session.running !== null) throw RequestError.invalidRequest(undefined, "a turn is running");
      const stop = new AbortController();
      session.running = stop;
      const prompt = params.prompt.map((block) => (block.type === "text" ? block.text : "")).join("\n");
      const history = session.stored.turns.map((past) => past.prompt);
      const record = { prompt, said: "" };
      session.stored.turns.push(record);
      const turn = createTurn({
        client,
        sessionId,
        cwd: session.stored.cwd,
        mcp: session.mcp,
        signal: AbortSignal.any([stop.signal, signal]),
        paceMs,
        newId: randomUUID,
      });
      try {
        await saveSession(home, session.stored);
        await work(prompt, history, turn, session);
        return { stopReason: "end_turn" as const };
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        return { stopReason: "cancelled" as const };
      } finally {
        session.running = null;
        record.said = turn.said();
        await saveSession(home, session.stored);
      }
    });
  return {
    app,
    stop: () => {
      for (const { running } of sessions.values()) running?.abort(new Error("stopped"));
    },
  };
}

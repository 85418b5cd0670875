import { z } from "zod";

const PROTOCOL_VERSION = "2025-06-18";
/** The way to the server may open a moment after the agent starts. */
const CONNECT_TRIES = 20;
const CONNECT_PAUSE_MS = 150;

const rpcAnswer = z.object({
  id: z.unknown(),
  result: z
    .object({
      content: z.array(z.object({ text: z.string().optional() })).optional(),
      isError: z.boolean().optional(),
    })
    .optional(),
  error: z.object({ message: z.string() }).optional(),
});

export interface McpClient {
  /** Calls a tool and returns the text of its answer. @throws Error where the server refuses or cannot be reached. */
  call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string>;
}

/** A client for MCP over streamable HTTP, as much of it as calling a tool takes. */
export function createMcpClient(url: string): McpClient {
  let session: Promise<Record<string, string>> | null = null;
  let nextId = 1;

  const post = async (
    body: Readonly<Record<string, unknown>>,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> => {
    for (let tried = 1; ; tried += 1) {
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...headers,
          },
          body: JSON.stringify({ jsonrpc: "2.0", ...body }),
          signal,
        });
        // The server may be starting again at this moment; what is called twice counts once.
        if (response.status < 500 || tried === CONNECT_TRIES) return response;
        await response.text();
      } catch (error) {
        if (signal.aborted || tried === CONNECT_TRIES) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
    }
  };
  const open = async (signal: AbortSignal): Promise<Record<string, string>> => {
    const response = await post(
      {
        id: 0,
        method: "initialize",
        params: {
          protocolVersion: PROTOCOL_VERSION,
          capabilities: {},
          clientInfo: { name: "sample-agent", version: "1.0.0" },
        },
      },
      {},
      signal,
    );
    if (!response.ok) throw new Error(`The MCP server answered ${response.status}.`);
    await response.text();
    const id = response.headers.get("mcp-session-id");
    const headers = {
      "mcp-protocol-version": PROTOCOL_VERSION,
      ...(id === null ? {} : { "mcp-session-id": id }),
    };
    await (await post({ method: "notifications/initialized" }, headers, signal)).text();
    return headers;
  };
  return {
    call: async (tool, args, signal) => {
      session ??= open(signal);
      const headers = await session.catch((error: unknown) => {
        session = null;
        throw error;
      });
      nextId += 1;
      const response = await post(
        { id: nextId, method: "tools/call", params: { name: tool, arguments: args } },
        headers,
        signal,
      );
      const text = await response.text();
      if (!response.ok) throw new Error(`The MCP server answered ${response.status}: ${text.slice(0, 300)}`);
      const answer = readAnswer(text, nextId);
      if (answer.error !== undefined) throw new Error(answer.error.message);
      const said = (answer.result?.content ?? []).map((part) => part.text ?? "").join("\n");
      if (answer.result?.isError === true) throw new Error(said);
      return said;
    },
  };
}

/** The answer with this id from a JSON body or from the events of a stream. */
function readAnswer(text: string, id: number): z.infer<typeof rpcAnswer> {
  const bodies = text.trimStart().startsWith("{")
    ? [text]
    : text.split(/\r?\n\r?\n/).map((event) =>
        event
          .split(/\r?\n/)
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trim())
          .join("\n"),
      );
  for (const body of bodies) {
    if (body === "") continue;
    const answer = rpcAnswer.safeParse(JSON.parse(body));
    if (answer.success && answer.data.id === id) return answer.data;
  }
  throw new Error("The MCP server ended without an answer.");
}

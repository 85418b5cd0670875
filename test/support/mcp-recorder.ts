import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

export interface McpRecorder {
  readonly url: string;
  /** Calls of tools in their order. */
  readonly calls: { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }[];
  close(): Promise<void>;
}

/** A real MCP server over streamable HTTP with the product's tools, which only writes down what it is called for. */
export async function startMcpRecorder(): Promise<McpRecorder> {
  const calls: McpRecorder["calls"] = [];
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "miyabi", version: "1.0.0" });
    const record = (tool: string, inputSchema: z.ZodObject) =>
      server.registerTool(tool, { description: `Records ${tool}.`, inputSchema }, (args) => {
        calls.push({ tool, args });
        return { content: [{ type: "text", text: `Recorded ${tool}.` }] };
      });
    record("report_result", z.object({ verdict: z.string(), notes: z.string().default("") }));
    record("report_progress", z.object({ text: z.string() }));
    record("send_message", z.object({ to: z.string(), text: z.string() }));
    record("ask_person", z.object({ question: z.string() }));
    return server;
  });
  const server = createServer((request, response) => {
    void (async () => {
      const body = await readBody(request);
      const answer = await handler.fetch(
        new Request(`http://localhost${request.url ?? "/"}`, {
          method: request.method ?? "POST",
          headers: Object.entries(request.headers).flatMap(([name, value]) =>
            typeof value === "string" ? [[name, value] as [string, string]] : [],
          ),
          ...(body === "" ? {} : { body }),
        }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      // Headers first: a client's stream for the server's own messages never ends.
      response.flushHeaders();
      if (answer.body === null) return void response.end();
      await pipeline(answer.body, response);
    })().catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

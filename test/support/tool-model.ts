import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TOOL_DIALECTS, type ToolDialect, type ToolDialectName } from "./tool-dialects.ts";

/** A call of the server, as it understood it. */
export interface SeenToolCall {
  readonly dialect: ToolDialectName;
  readonly body: Readonly<Record<string, unknown>>;
  /** Results of tools in the request, by the id of the call. */
  readonly results: readonly (readonly [string, string])[];
  readonly stream: boolean;
}

export interface ToolModel {
  readonly origin: string;
  readonly calls: readonly SeenToolCall[];
  /** Null: all goes well. `in-stream`: it fails after its first words. `early-end`: it says no more after them. */
  fault: { readonly status: number } | "in-stream" | "early-end" | null;
  close(): Promise<void>;
}

/**
 * A model of every vendor, written from the vendors' references: asked with tools it thinks and calls `read_file` twice in
 * parallel; shown both results it says what they were. Requests that the vendor would refuse are refused.
 */
export async function startToolModel(): Promise<ToolModel> {
  const calls: SeenToolCall[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", () => {});
    request.on("end", () => {
      const url = request.url ?? "/";
      const found = Object.entries(TOOL_DIALECTS).find(([, one]) => one.path.test(url));
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>;
      if (found === undefined) return void response.writeHead(404).end();
      const [name, dialect] = found as [ToolDialectName, ToolDialect];
      answer({ model, name, dialect, url, body, calls, response });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: ToolModel = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fault: null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return model;
}

interface AnswerParams {
  readonly model: ToolModel;
  readonly name: ToolDialectName;
  readonly dialect: ToolDialect;
  readonly url: string;
  readonly body: Record<string, unknown>;
  readonly calls: SeenToolCall[];
  readonly response: ServerResponse;
}

function answer({ model, name, dialect, url, body, calls, response }: AnswerParams): void {
  const json = { "content-type": "application/json" };
  const stream = dialect.streams(url, body);
  const problem = dialect.problemOf(body);
  const results = dialect.resultsOf(body);
  calls.push({ dialect: name, body, results, stream });
  if (model.fault !== null && typeof model.fault !== "string")
    return void response.writeHead(model.fault.status, json).end(dialect.error("the vendor says no"));
  if (problem !== null) return void response.writeHead(400, json).end(dialect.error(problem));
  const said = results.map(([, text]) => text).join(" and ");
  const turn = results.length === 0 ? dialect.calling : dialect.saying(`Read: ${said}`);
  if (!stream) return void response.writeHead(200, json).end(JSON.stringify(turn.document));
  response.writeHead(200, { "content-type": "text/event-stream" });
  const events = {
    none: turn.events,
    "early-end": turn.events.slice(0, 4),
    "in-stream": [...turn.events.slice(0, 4), dialect.errorEvent],
  }[model.fault ?? "none"];
  // Cut at odd places, as a network does.
  const bytes = Buffer.from(events.join(""));
  for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
  response.end();
}

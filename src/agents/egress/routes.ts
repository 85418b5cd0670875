import { AppError } from "../../base/index.ts";

export interface Upstream {
  /** Base URL of the gateway, e.g. `http://127.0.0.1:8000`; the agent's path is appended to its path. */
  readonly gatewayUrl: string;
  /** Full URL of the MCP endpoint. */
  readonly mcpUrl: string;
  /** Identity of the run; never enters the sandbox. */
  readonly token: string;
}

const GATEWAY_PATHS = /^\/(?:v1|v1beta)\/|^\/api\/hello$/;
/** Told by the forwarder when it listens. */
export const READY_PATH = "/.miyabi/ready";

/** Where an agent's request goes: to the gateway, to our MCP server, nowhere (null). Pure. */
export function routeOf(target: string, upstream: Upstream): URL | null {
  const [pathname, query] = splitQuery(target);
  // The gateway may share a server with our API: nothing that another parser could read as a different path gets through.
  if (
    !/^\/[A-Za-z0-9._~:@!$&()+,;=/-]*$/.test(pathname) ||
    pathname.includes("..") ||
    pathname.includes("//")
  )
    return null;
  if (pathname === "/mcp") return withQuery(parseBase(upstream.mcpUrl), query);
  if (!GATEWAY_PATHS.test(pathname)) return null;
  const url = parseBase(upstream.gatewayUrl);
  url.pathname = url.pathname.replace(/\/$/, "") + pathname;
  return withQuery(url, query);
}

function splitQuery(target: string): readonly [string, string | undefined] {
  const mark = target.indexOf("?");
  return mark === -1 ? [target, undefined] : [target.slice(0, mark), target.slice(mark + 1)];
}

function withQuery(url: URL, query: string | undefined): URL {
  if (query === undefined) return url;
  const parameters = new URLSearchParams(query);
  // Gemini's clients send the key here.
  for (const name of ["key", "api_key", "access_token", "token"]) parameters.delete(name);
  url.search = parameters.toString();
  return url;
}

function parseBase(url: string): URL {
  if (!URL.canParse(url))
    throw new AppError({
      code: "config.invalid",
      message: `"${url}" is no URL for the gateway or MCP server.`,
    });
  return new URL(url);
}

import path from "node:path";
import { FORWARDER_PORT, forwarderMcpUrl, forwarderUrl } from "./forwarder.ts";

interface EnvironmentParams {
  /** Private home inside. */
  readonly homeDir: string;
  /** Node's program; its directory comes first in PATH. */
  readonly nodeFile: string;
  /** Further directories for PATH, before the system's, e.g. the agent's `node_modules/.bin`. */
  readonly pathDirs: readonly string[];
  /** Where the forwarder listens. Default `FORWARDER_PORT`. */
  readonly port?: number;
  /** The profile's own variables; they win. */
  readonly extra: Readonly<Record<string, string>>;
}

const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The whole environment of a program in a sandbox. Holds nothing of the host's environment and no secret: the run's socket
 * is the identity. Proxy variables in both spellings lead to the forwarder. Pure.
 */
export function sandboxEnvironment(params: Readonly<EnvironmentParams>): Readonly<Record<string, string>> {
  const port = params.port ?? FORWARDER_PORT;
  const proxy = forwarderUrl(port);
  const direct = "127.0.0.1,localhost,::1";
  return {
    PATH: [path.dirname(params.nodeFile), ...params.pathDirs, ...SYSTEM_PATH].join(":"),
    HOME: params.homeDir,
    USER: "agent",
    LOGNAME: "agent",
    SHELL: "/bin/sh",
    TMPDIR: "/tmp",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    ALL_PROXY: proxy,
    NO_PROXY: direct,
    http_proxy: proxy,
    https_proxy: proxy,
    all_proxy: proxy,
    no_proxy: direct,
    // Node's own fetch looks at the variables above only when told.
    NODE_USE_ENV_PROXY: "1",
    MIYABI_GATEWAY_URL: forwarderUrl(port),
    MIYABI_MCP_URL: forwarderMcpUrl(port),
    ...params.extra,
  };
}

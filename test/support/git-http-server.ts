import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface GitHttpServer {
  readonly url: string;
  close(): Promise<void>;
}

interface ServeParams {
  /** Directory with the bare repositories, `owner/name.git`. */
  readonly root: string;
  /** Who may do what; a status other than 200 is answered instead of the request. */
  readonly allow: (request: { readonly authorization: string | null; readonly isPush: boolean }) => number;
}

/** Handles one request of git's smart HTTP protocol with git's own `http-backend`. */
export function handleGit(request: IncomingMessage, response: ServerResponse, params: ServeParams): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  const isPush = `${pathname}${search}`.includes("git-receive-pack");
  const status = params.allow({ authorization: request.headers.authorization ?? null, isPush });
  if (status !== 200) {
    request.resume();
    response.writeHead(status, status === 401 ? { "www-authenticate": 'Basic realm="git"' } : {}).end();
    return;
  }
  const child = spawn("git", ["-c", "safe.directory=*", "-c", "http.receivepack=true", "http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: params.root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: params.root,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: request.headers["git-protocol"]?.toString() ?? "",
      REMOTE_USER: "git",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  let started = false;
  child.stdout.on("data", (chunk: Buffer) => {
    if (started) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    started = true;
    const headers = head.subarray(0, end).toString("latin1").split("\r\n");
    const fields = headers.map((line): [string, string] => [
      line.slice(0, line.indexOf(":")),
      line.slice(line.indexOf(":") + 1).trim(),
    ]);
    const code = fields.find(([name]) => name.toLowerCase() === "status")?.[1];
    response.writeHead(
      Number.parseInt(code ?? "200", 10),
      Object.fromEntries(fields.filter(([name]) => name.toLowerCase() !== "status")),
    );
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => response.end());
  child.on("error", () => response.destroy());
  response.on("close", () => child.kill());
}

/** Serves bare repositories over smart HTTP on loopback. */
export async function startGitHttpServer(params: ServeParams): Promise<GitHttpServer> {
  const server = createServer((request, response) => handleGit(request, response, params));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

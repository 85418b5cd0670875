import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { handleGit } from "../support/git-http-server.ts";
import { answerAccess, answerGit } from "./app/access.ts";
import { answerGraphql, inSchema, pathInside } from "./app/enterprise.ts";
import { answerPage } from "./app/pages.ts";
import { newConnection } from "./app/state.ts";
import { branchesOf, emitPushes } from "./deliveries.ts";
import { failAfter, failBefore, refuseOverLimit } from "./faults.ts";
import { askPulls } from "./graphql-pulls.ts";
import { ROUTES, type Reply } from "./routes.ts";
import { issueNode } from "./views.ts";
import type { Issue, State } from "./state.ts";

export interface GitHubServer {
  readonly url: string;
  readonly state: State;
  close(): Promise<void>;
}

const LIMIT = 5_000;

/**
 * A stand-in for GitHub with the routes that the product calls, written from GitHub's documentation, and real git over HTTP.
 * `root` holds the bare repositories, `owner/name.git`.
 */
export async function startGitHubServer({ root }: { readonly root: string }): Promise<GitHubServer> {
  const state: State = {
    token: "ghp_canary_5f1d2c",
    connection: newConnection(),
    login: "miyabi-bot",
    repositories: new Map(),
    renamed: new Map(),
    requests: [],
    faults: [],
    writes: { at: [], refusals: 0, underWay: 0, mostUnderWay: 0 },
    secondaryLimit: null,
    hook: null,
    ids: 1_000,
  };
  const server = createServer((request, response) => {
    void serve(state, root, url, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    state,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  state: State,
  root: string,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = new URL(request.url ?? "/", url);
  const { searchParams } = asked;
  const pathname = pathInside(state.connection, asked.pathname);
  const { method = "GET" } = request;
  if (await answerPage(state, asked, request, response)) return;
  if (pathname.includes(".git/")) {
    const name = /^\/([^/]+\/[^/]+)\.git\//.exec(pathname)?.[1] ?? "";
    const pushed = method === "POST" && pathname.endsWith("/git-receive-pack");
    const repository = pushed && state.hook !== null ? state.repositories.get(name.toLowerCase()) : undefined;
    if (repository !== undefined) {
      const before = await branchesOf(repository);
      response.on("finish", () => void emitPushes(state, repository, before).catch(() => {}));
    }
    return handleGit(request, response, {
      root,
      allow: ({ authorization, isPush }) => {
        const status = answerGit(state, { authorization, name, isPush });
        const isArchived = state.repositories.get(name.toLowerCase())?.archived === true;
        return status === 200 && isPush && isArchived ? 403 : status;
      },
    });
  }
  const body =
    method === "GET" || method === "DELETE"
      ? {}
      : ((await json(request).catch(() => ({}))) as Record<string, unknown>);
  const fault = state.faults.find((one) => one.times > 0 && one.method === method && one.path.test(pathname));
  if (fault !== undefined) fault.times -= 1;
  const isWrite =
    method !== "GET" && (pathname !== "/graphql" || String(body["query"]).startsWith("mutation"));
  const { writes, secondaryLimit } = state;
  const refused =
    failBefore(fault, response) ??
    (isWrite && secondaryLimit !== null ? refuseOverLimit(secondaryLimit, writes) : null);
  if (refused === "dealt-with") return;
  if (isWrite) writes.mostUnderWay = Math.max(writes.mostUnderWay, (writes.underWay += 1));
  const reply =
    refused ??
    (await answer(state, url, method, pathname, searchParams, body, request.headers.authorization ?? ""));
  if (isWrite) writes.underWay -= 1;
  if (failAfter(fault, response, reply)) return;
  send(state, request, response, reply, new URL(request.url ?? "/", url));
}

async function answer(
  state: State,
  url: string,
  method: string,
  pathname: string,
  query: URLSearchParams,
  body: Readonly<Record<string, unknown>>,
  authorization: string,
): Promise<Reply> {
  const refusal = answerAccess(state, url, { method, pathname, body, authorization });
  if (refusal !== null) return refusal;
  if (pathname === "/user") return { status: 200, body: { login: state.login } };
  if (pathname === "/graphql")
    return (
      answerGraphql(state.connection, String(body["query"])) ??
      (await askPulls(state, String(body["query"]), body["variables"] as Record<string, unknown>)) ??
      graphql(state, String(body["query"]), body["variables"] as Record<string, unknown>)
    );
  const [, name = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(pathname) ?? [];
  const repository = state.repositories.get(name.toLowerCase());
  const now = state.renamed.get(name.toLowerCase());
  if (repository === undefined && now !== undefined)
    return {
      status: method === "GET" ? 301 : 307,
      body: {},
      location: `${url}/repos/${now}${rest}${query.size > 0 ? `?${query.toString()}` : ""}`,
    };
  if (repository === undefined) return { status: 404, body: { message: "Not Found" } };
  if (repository.archived === true && method !== "GET")
    return { status: 403, body: { message: "Repository was archived so is read-only." } };
  if (rest === "")
    return {
      status: 200,
      body: {
        id: repository.id ?? 1,
        full_name: `${repository.owner}/${repository.name}`,
        clone_url: `${url}/${repository.owner}/${repository.name}.git`,
        default_branch: "main",
        archived: repository.archived ?? false,
      },
    };
  for (const [verb, path, handler] of ROUTES) {
    const match = verb === method ? path.exec(rest) : null;
    if (match === null) continue;
    const issue = repository.issues.get(Number(match[1])) as Issue;
    const moved = repository.gone.get(Number(match[1]));
    if (/^\/issues\/\d+$/.test(rest) && moved !== undefined)
      return moved === null
        ? { status: 410, body: { message: "This issue was deleted" } }
        : { status: 301, body: {}, location: `${url}/repos/${moved.repository}/issues/${moved.number}` };
    if (/^\/(issues|pulls)\/\d/.test(rest) && issue === undefined)
      return { status: 404, body: { message: "Not Found" } };
    return handler({ state, repository, issue, query, body, match });
  }
  return { status: 404, body: { message: `No route ${method} ${pathname}` } };
}

/** What the product asks about issues: several by number, each under a name of its own. */
function graphql(state: State, query: string, variables: Readonly<Record<string, unknown>>): Reply {
  const repository = state.repositories.get(
    `${String(variables["owner"])}/${String(variables["repo"])}`.toLowerCase(),
  );
  const asked = [...query.matchAll(/(\w+): issue\(number: (\d+)\)/g)];
  const found = asked.map(
    ([, alias = "", number]) => [alias, repository?.issues.get(Number(number))] as const,
  );
  const errors = found
    .filter(([, issue]) => issue === undefined || issue.pull !== null)
    .map(([alias]) => ({
      type: "NOT_FOUND",
      path: ["repository", alias],
      message: "Could not resolve to an Issue",
    }));
  const issues = found.map(([alias, issue]) => [
    alias,
    issue === undefined ? null : inSchema(state.connection, issueNode(repository, issue)),
  ]);
  return {
    status: 200,
    body: {
      data: { repository: Object.fromEntries(issues) as object },
      ...(errors.length > 0 ? { errors } : {}),
    },
  };
}

function send(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  url: URL,
): void {
  const path = url.pathname;
  // A full page may not be the last one.
  const size = Number(url.searchParams.get("per_page") ?? 30);
  const hasMore = Array.isArray(reply.body) && reply.body.length === size;
  url.searchParams.set("page", String(Number(url.searchParams.get("page") ?? 1) + 1));
  const text = JSON.stringify(reply.body);
  const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
  const isKnown =
    request.method === "GET" && reply.status === 200 && request.headers["if-none-match"] === etag;
  const status = isKnown ? 304 : reply.status;
  state.requests.push({ method: request.method ?? "GET", path, status });
  const used = state.requests.filter((one) => one.status !== 304).length;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    etag,
    ...reply.headers,
    ...(reply.location === undefined ? {} : { location: reply.location }),
    ...reply.headers,
    ...(hasMore ? { link: `<${url.href}>; rel="next"` } : {}),
    "x-ratelimit-limit": String(LIMIT),
    "x-ratelimit-remaining": String(LIMIT - used),
    "x-ratelimit-reset": String(Math.ceil(Date.now() / 1_000) + 3_600),
  });
  response.end(isKnown ? undefined : text);
}

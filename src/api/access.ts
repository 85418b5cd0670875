import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { AppError } from "../base/index.ts";
import {
  ADMIN_PERMISSIONS,
  allows,
  equalSecrets,
  isAccess,
  type Access as AccessLevel,
  type Identity,
  type Sessions,
} from "../security/index.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route; a route without it cannot be registered. */
    permission?: AccessLevel;
  }
}

interface AccessParams {
  readonly cliToken: string;
  readonly sessions: Pick<Sessions, "identify">;
  /** Names beside localhost under which the server may be addressed, without ports. */
  readonly hosts: readonly string[];
  /** Further ports and the port whose cookie they share. */
  readonly portAliases?: ReadonlyMap<string, string>;
}

export interface Access {
  /** Cookies are shared by all ports of a name; with the port in its name each installation keeps its own. */
  cookieName(request: FastifyRequest): string;
  /** The token in the session's cookie, or null. */
  sessionOf(request: FastifyRequest): string | null;
  /** The caller of a route that asks for `view`, `operate` or `admin`. @throws internal.bug on other routes */
  callerOf(request: FastifyRequest): Identity;
  /** Whether the caller of a request that was let in may still view: the session may have ended since. */
  mayStillView(request: FastifyRequest): Promise<boolean>;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Guards every route that is registered afterwards, plugins included: each must name its permission, and it is checked
 * before anything of the request is read. `Host` and `Origin` are checked for all; `host` and `run-key` routes check
 * their own bearer token afterwards.
 */
export function guardRoutes(fastify: FastifyInstance, params: Readonly<AccessParams>): Access {
  const callers = new WeakMap<FastifyRequest, Identity>();
  fastify.addHook("onRoute", requirePermission);
  fastify.addHook("onRequest", async (request) => {
    const permission = request.is404 ? "public" : request.routeOptions.config.permission;
    checkHost(request, params.hosts);
    checkOrigin(request);
    if (permission === "public" || permission === "host" || permission === "run-key") return;
    const caller = await identify(request, params);
    if (permission === undefined || !allows(caller, permission))
      throw new AppError({
        code: "api.forbidden",
        message: `${caller.name} may not do this: it needs the permission "${permission}".`,
        details: { permission },
      });
    callers.set(request, caller);
  });
  return {
    cookieName: (request) => cookieNameFor(request, params.portAliases),
    sessionOf: (request) => cookieOf(request, cookieNameFor(request, params.portAliases)),
    callerOf: (request) => {
      const caller = callers.get(request);
      if (caller === undefined)
        throw new AppError({ code: "internal.bug", message: `${request.url} has no caller.` });
      return caller;
    },
    mayStillView: async (request) => {
      try {
        return allows(await identify(request, params), "view");
      } catch (error) {
        // A database that is away says nothing about a session.
        return !(error instanceof AppError && error.code === "api.unauthenticated");
      }
    },
  };
}

function requirePermission(route: RouteOptions): void {
  if (isAccess(route.config?.permission)) return;
  throw new AppError({
    code: "internal.bug",
    message: `The route ${String(route.method)} ${route.url} names no permission.`,
  });
}

async function identify(request: FastifyRequest, params: Readonly<AccessParams>): Promise<Identity> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined && equalSecrets(bearer, params.cliToken))
    return { name: "cli", permissions: ADMIN_PERMISSIONS, via: "token" };
  const cookie = bearer === undefined ? cookieOf(request, cookieNameFor(request, params.portAliases)) : null;
  const identity = cookie === null ? null : await params.sessions.identify(cookie);
  if (identity === null)
    throw new AppError({
      code: "api.unauthenticated",
      message:
        bearer === undefined ? "Nobody is signed in here." : "The token is not that of this installation.",
      fix: "miyabi login",
    });
  // Browsers name the origin of every write; a request with a cookie and without one comes from no page of ours.
  const { origin, "sec-fetch-site": site } = request.headers;
  if (!SAFE_METHODS.has(request.method) && origin === undefined && site !== "same-origin")
    throw foreign("A write with a cookie must say where it comes from.");
  return identity;
}

/** Against DNS rebinding: a foreign name that resolves to us is not us. @throws api.origin */
function checkHost(request: FastifyRequest, names: readonly string[]): void {
  const host = request.headers.host ?? "";
  const name = nameOf(host);
  if (name !== null && (LOOPBACK.has(name) || names.includes(name))) return;
  throw new AppError({
    code: "api.origin",
    message: `"${host.slice(0, 200)}" is no name of this server.`,
    fix: "Open http://localhost with the same port, or add the name to `hosts` in miyabi.yaml.",
    details: { field: "host", value: host.slice(0, 200) },
  });
}

/** Against writes and WebSockets from other pages, those on another port of this machine included. @throws api.origin */
function checkOrigin(request: FastifyRequest): void {
  const { origin, host, upgrade } = request.headers;
  if (origin === undefined || (SAFE_METHODS.has(request.method) && upgrade === undefined)) return;
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return;
  throw foreign(`Requests of pages from ${origin.slice(0, 200)} are refused.`, origin.slice(0, 200));
}

function foreign(message: string, value = ""): AppError {
  return new AppError({ code: "api.origin", message, details: { field: "origin", value } });
}

/** Name of a `Host` header in small letters, or null where it is none. */
function nameOf(host: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase() ?? null;
}

function cookieNameFor(request: FastifyRequest, aliases: AccessParams["portAliases"]): string {
  const port = /:(\d{1,5})$/.exec(request.headers.host ?? "")?.[1] ?? "80";
  return `miyabi_session_${aliases?.get(port) ?? port}`;
}

function cookieOf(request: FastifyRequest, name: string): string | null {
  const wanted = `${name}=`;
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const pair = part.trim();
    if (pair.startsWith(wanted) && pair.length > wanted.length) return pair.slice(wanted.length);
  }
  return null;
}

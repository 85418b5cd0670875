import type { FastifyRequest } from "fastify";
import { AppError } from "../base/index.ts";
import { ADMIN_PERMISSIONS, equalSecrets, type Identity, type Sessions } from "../security/index.ts";

export const COOKIE = "miyabi_session";

interface AccessParams {
  readonly cliToken: string;
  readonly sessions: Sessions;
  /** Names beside localhost under which the server may be addressed. */
  readonly hosts: readonly string[];
}

export interface Access {
  /** Who calls. @throws api.unauthenticated */
  identify(request: FastifyRequest): Promise<Identity>;
  /** Refuses foreign `Host` (DNS rebinding) and foreign `Origin` on writes and upgrades. @throws api.origin */
  checkOrigin(request: FastifyRequest): void;
}

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function createAccess(params: Readonly<AccessParams>): Access {
  const isOurs = (host: string): boolean => {
    const name = host.replace(/:\d+$/, "").toLowerCase();
    return LOCAL.has(name) || params.hosts.includes(name);
  };
  return {
    identify: async (request) => {
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
      if (bearer !== undefined && equalSecrets(bearer, params.cliToken))
        return { name: "cli", permissions: ADMIN_PERMISSIONS, via: "token" };
      const cookie = cookieOf(request.headers.cookie ?? "");
      const identity = cookie === null ? null : await params.sessions.identify(cookie);
      if (identity !== null) return identity;
      throw new AppError({
        code: "api.unauthenticated",
        message: "Nobody is signed in.",
        fix: "miyabi login",
      });
    },
    checkOrigin: (request) => {
      const host = request.headers.host ?? "";
      if (!isOurs(host))
        throw new AppError({
          code: "api.origin",
          message: `"${host}" is not a name of this server.`,
          fix: "Open http://localhost, or add the name to `hosts` in miyabi.yaml.",
        });
      const { origin } = request.headers;
      const changes = request.method !== "GET" && request.method !== "HEAD";
      if (origin === undefined || (!changes && request.headers.upgrade === undefined)) return;
      if (!URL.canParse(origin) || !isOurs(new URL(origin).host))
        throw new AppError({ code: "api.origin", message: `Requests from ${origin} are refused.` });
    },
  };
}

function cookieOf(header: string): string | null {
  for (const part of header.split(";")) {
    const [name, value] = part.trim().split("=");
    if (name === COOKIE && value !== undefined && value !== "") return value;
  }
  return null;
}

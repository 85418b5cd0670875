import { z } from "zod";
import { AppError, type Clock, type Random } from "../base/index.ts";
import { PERMISSIONS, type Permission } from "../contract/index.ts";
import type { Database } from "../store/index.ts";
import type { Identity } from "./permissions.ts";
import { createRateLimit } from "./rate-limit.ts";
import { hashSecret } from "./secrets.ts";

export interface SessionsParams {
  readonly database: Database;
  readonly random: Pick<Random, "token">;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How long a login link is good for. Default 10 min. */
  readonly codeMs?: number;
  /** How long a browser stays signed in. Default 30 days. */
  readonly sessionMs?: number;
}

export interface Sessions {
  /** A code that signs one browser in, once. @throws api.rate_limited after 30 in a minute. */
  createLoginCode(grant: {
    readonly name: string;
    readonly permissions: readonly Permission[];
  }): Promise<{ readonly code: string; readonly expiresAt: Date }>;
  /**
   * Exchanges a code for a session's token. The code is used up with the session's creation, in one transaction.
   * @throws api.unauthenticated where it is unknown, used or too old; api.rate_limited after 20 tries in a minute.
   */
  redeem(code: string): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  /** Who the token stands for; null where it is unknown or expired. */
  identify(token: string): Promise<Identity | null>;
  /** Ends a session; no error where there is none. */
  end(token: string): Promise<void>;
}

const permissionList = z.array(z.enum(PERMISSIONS));
const MINUTE_MS = 60_000;

/** Browser sessions in the database, by the database's clock; only hashes of secrets are stored. */
export function createSessions(params: Readonly<SessionsParams>): Sessions {
  const { database, random, clock } = params;
  const codeMs = params.codeMs ?? 10 * MINUTE_MS;
  const sessionMs = params.sessionMs ?? 30 * 24 * 60 * MINUTE_MS;
  const links = createRateLimit({ limit: 30, windowMs: MINUTE_MS, clock });
  const tries = createRateLimit({ limit: 20, windowMs: MINUTE_MS, clock });

  return {
    createLoginCode: async ({ name, permissions }) => {
      if (!links.take()) throw tooMany("login links");
      const code = random.token();
      await database.query("delete from miyabi.login_codes where expires_at < now()");
      const { rows } = await database.query<{ expires_at: Date }>(
        `insert into miyabi.login_codes (code_hash, name, permissions, expires_at)
         values ($1, $2, $3, now() + $4 * interval '1 millisecond') returning expires_at`,
        [hashSecret(code), name, permissions, codeMs],
      );
      return { code, expiresAt: rows[0]?.expires_at ?? new Date(0) };
    },
    redeem: async (code) => {
      if (!tries.take()) throw tooMany("sign-ins");
      const token = random.token();
      const { rows } = await database.query<{ expires_at: Date }>(
        `with used as (delete from miyabi.login_codes where code_hash = $1 returning name, permissions, expires_at),
           old as (delete from miyabi.browser_sessions where expires_at < now())
         insert into miyabi.browser_sessions (token_hash, name, permissions, expires_at)
         select $2, name, permissions, now() + $3 * interval '1 millisecond' from used where expires_at >= now()
         returning expires_at`,
        [hashSecret(code), hashSecret(token), sessionMs],
      );
      const row = rows[0];
      if (row === undefined)
        throw new AppError({
          code: "api.unauthenticated",
          message: "This login link was used before, is older than 10 minutes, or is not complete.",
          fix: "miyabi login",
        });
      return { token, expiresAt: row.expires_at };
    },
    identify: async (token) => {
      const { rows } = await database.query<{ name: string; permissions: unknown; stale: boolean }>(
        `select name, permissions, used_at < now() - interval '1 hour' as stale
         from miyabi.browser_sessions where token_hash = $1 and expires_at >= now()`,
        [hashSecret(token)],
      );
      const row = rows[0];
      if (row === undefined) return null;
      if (row.stale)
        await database.query("update miyabi.browser_sessions set used_at = now() where token_hash = $1", [
          hashSecret(token),
        ]);
      return { name: row.name, permissions: permissionList.parse(row.permissions), via: "cookie" };
    },
    end: async (token) => {
      await database.query("delete from miyabi.browser_sessions where token_hash = $1", [hashSecret(token)]);
    },
  };
}

function tooMany(what: string): AppError {
  return new AppError({
    code: "api.rate_limited",
    message: `There were too many ${what} within a minute.`,
    fix: "Wait a minute and try again.",
  });
}

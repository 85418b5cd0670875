import path from "node:path";
import type { z } from "zod";
import { AppError, ERROR_KINDS, readFileIfExists, resolveHome, type ErrorCode } from "../base/index.ts";
import { problem, ROUTES, type Route, type RouteName } from "../contract/index.ts";

type Part<R, K extends string> = R extends Record<K, infer S extends z.ZodType> ? z.input<S> : never;

/** Parts of a request, as the route of the contract wants them. */
export type CallInput<R> = {
  readonly params?: Part<R, "params">;
  readonly query?: Part<R, "query">;
  readonly body?: Part<R, "body">;
  readonly idempotencyKey?: string;
};

/** The API of the running product, typed by the contract. */
export interface Client {
  readonly url: string;
  readonly token: string;
  /** @throws the server's problem as an `AppError`; daemon.not_running. */
  call<Name extends RouteName>(
    name: Name,
    input?: CallInput<(typeof ROUTES)[Name]>,
  ): Promise<z.output<(typeof ROUTES)[Name]["response"]>>;
}

const TIMEOUT_MS = 30_000;

const notRunning = (): AppError =>
  new AppError({ code: "daemon.not_running", message: "miyabi is not running.", fix: "miyabi up --detach" });

/** Finds the running product of this installation. @throws daemon.not_running */
export async function openClient(env: Readonly<Record<string, string | undefined>>): Promise<Client> {
  const home = resolveHome(env);
  const [where, token] = await Promise.all([
    readFileIfExists(path.join(home.runDir, "control-plane.json")),
    readFileIfExists(path.join(home.runDir, "token")),
  ]);
  if (where === null || token === null) throw notRunning();
  const { url } = JSON.parse(where) as { url: string };
  return {
    url,
    token: token.trim(),
    call: (name, input) => send(url, token.trim(), name, input ?? {}) as never,
  };
}

async function send(base: string, token: string, name: RouteName, input: CallInput<Route>): Promise<unknown> {
  const route: Route = ROUTES[name];
  const target = new URL(fillPath(route.path, (input.params ?? {}) as Record<string, string>), base);
  for (const [key, value] of Object.entries((input.query ?? {}) as Record<string, unknown>))
    if (value !== undefined) target.searchParams.set(key, String(value));
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (input.idempotencyKey !== undefined) headers["idempotency-key"] = input.idempotencyKey;
  if (route.method === "POST") headers["content-type"] = "application/json";
  const response = await fetch(target, {
    method: route.method,
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(route.method === "POST" ? { body: JSON.stringify(input.body ?? {}) } : {}),
  }).catch(() => {
    throw notRunning();
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  const failure = problem.safeParse(body);
  if (!failure.success)
    throw new AppError({ code: "internal.bug", message: `The server answered ${response.status}.` });
  const { code, detail, fix, details } = failure.data;
  throw new AppError({
    code: code in ERROR_KINDS ? (code as ErrorCode) : "internal.bug",
    message: detail,
    fix,
    details,
  });
}

function fillPath(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

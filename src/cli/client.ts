import path from "node:path";
import { z } from "zod";
import {
  AppError,
  ERROR_KINDS,
  isProcessAlive,
  parseJson,
  readFileIfExists,
  resolveHome,
  type ErrorCode,
} from "../base/index.ts";
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
  /** Of the control plane. */
  readonly pid: number;
  /** @throws the server's problem as an `AppError`; daemon.not_running; process.timeout. */
  call<Name extends RouteName>(
    name: Name,
    input?: CallInput<(typeof ROUTES)[Name]>,
  ): Promise<z.output<(typeof ROUTES)[Name]["response"]>>;
}

interface Target {
  readonly url: string;
  readonly token: string;
}

// Long enough for `startDemo`, which makes a repository and nine tasks, on a busy machine.
const TIMEOUT_MS = 60_000;
const place = z.looseObject({ url: z.url({ protocol: /^https?$/ }), pid: z.number().int() });

const notRunning = (cause?: unknown): AppError =>
  new AppError({
    code: "daemon.not_running",
    message: "miyabi is not running.",
    fix: "miyabi up --detach",
    cause,
  });

/** Finds the running product of this installation. Asks nothing of it yet. @throws daemon.not_running */
export async function openClient(env: Readonly<Record<string, string | undefined>>): Promise<Client> {
  const home = resolveHome(env);
  const [where, token] = await Promise.all([
    readFileIfExists(path.join(home.runDir, "control-plane.json")),
    readFileIfExists(path.join(home.runDir, "token")),
  ]);
  const found = place.safeParse(parseJson(where ?? ""));
  if (!found.success || token === null) throw notRunning();
  const { url, pid } = found.data;
  // The file outlives a killed process; its port may since belong to another program, which must not get the token.
  if (!(await isProcessAlive(pid))) throw notRunning();
  const target = { url, token: token.trim() };
  return { url, pid, call: (name, input) => send(target, name, input ?? {}) as never };
}

async function send(target: Target, name: RouteName, input: CallInput<Route>): Promise<unknown> {
  const route: Route = ROUTES[name];
  const address = new URL(fillPath(route.path, (input.params ?? {}) as Record<string, string>), target.url);
  for (const [key, value] of Object.entries((input.query ?? {}) as Record<string, unknown>))
    if (value !== undefined) address.searchParams.set(key, String(value));
  const headers: Record<string, string> = { authorization: `Bearer ${target.token}` };
  if (input.idempotencyKey !== undefined) headers["idempotency-key"] = input.idempotencyKey;
  if (route.method === "POST") headers["content-type"] = "application/json";
  const answer = await fetch(address, {
    method: route.method,
    headers,
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(route.method === "POST" ? { body: JSON.stringify(input.body ?? {}) } : {}),
  })
    .then(async (response) => ({ response, body: parseJson(await response.text()) }))
    .catch((error: unknown) => {
      throw error instanceof DOMException && error.name === "TimeoutError"
        ? tooSlow(error)
        : notRunning(error);
    });
  return answer.response.ok ? resultOf(route, answer.body) : fail(answer.response.status, answer.body);
}

function resultOf(route: Route, body: unknown): unknown {
  const result = route.response.safeParse(body);
  if (result.success) return result.data;
  throw new AppError({
    code: "internal.bug",
    message: `The control plane's answer to ${route.method} ${route.path} is not what this version expects.`,
    fix: "miyabi shutdown, then miyabi up --detach, so that both are of the same version.",
    cause: result.error,
  });
}

function fail(status: number, body: unknown): never {
  const failure = problem.safeParse(body);
  if (!failure.success)
    throw new AppError({
      code: status === 401 ? "api.unauthenticated" : "internal.bug",
      message: `The server answered ${status} without saying why.`,
      fix: "miyabi doctor",
    });
  const { code, detail, fix, details } = failure.data;
  throw new AppError({ code: isErrorCode(code) ? code : "internal.bug", message: detail, fix, details });
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_KINDS, code);

const tooSlow = (cause: unknown): AppError =>
  new AppError({
    code: "process.timeout",
    message: `The control plane did not answer within ${TIMEOUT_MS / 1000} s.`,
    fix: "miyabi doctor",
    cause,
  });

function fillPath(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

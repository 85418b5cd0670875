import type { z } from "zod";
import type { ROUTES, RouteName } from "../../../src/contract/index.ts";
import { readProblem, unreachable } from "./api-error.ts";
import { ENDPOINTS } from "./endpoints.ts";

type Routes = typeof ROUTES;
type InputOf<R, Part extends string> = R extends Record<Part, infer S extends z.ZodType> ? z.input<S> : never;
type Argument<R, Part extends string> = [InputOf<R, Part>] extends [never]
  ? Partial<Record<Part, never>>
  : Part extends "query"
    ? { query?: InputOf<R, Part> }
    : Record<Part, InputOf<R, Part>>;

export type CallArguments<K extends RouteName> = Argument<Routes[K], "params"> &
  Argument<Routes[K], "query"> &
  Argument<Routes[K], "body"> & { readonly signal?: AbortSignal };
export type Answer<K extends RouteName> = z.output<Routes[K]["response"]>;

interface LooseArguments {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Calls a route of the contract with the cookie of this browser. A write carries a fresh `Idempotency-Key`.
 * @throws ApiError for an error answer, or with status 0 where no answer came. An abort rejects with its reason.
 */
export async function call<K extends RouteName>(name: K, args: CallArguments<K>): Promise<Answer<K>> {
  const { params, query, body, signal }: LooseArguments = args;
  const [method = "GET", path = "/"] = ENDPOINTS[name].split(" ");
  const headers = new Headers({ accept: "application/json" });
  if (method === "POST") {
    headers.set("content-type", "application/json");
    headers.set("idempotency-key", newKey());
  }
  let response: Response;
  try {
    response = await fetch(buildUrl(path, params, query), {
      method,
      headers,
      credentials: "same-origin",
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw unreachable(error);
  }
  if (!response.ok) throw await readProblem(response);
  return (await response.json()) as Answer<K>;
}

/** Exchanges a login link's code for the session cookie. @throws ApiError */
export async function login(code: string): Promise<void> {
  const response = await fetch("/api/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    credentials: "same-origin",
    body: JSON.stringify({ code }),
  }).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (!response.ok) throw await readProblem(response);
}

/** Ends this browser's session. @throws ApiError */
export async function logout(): Promise<void> {
  const response = await fetch("/api/logout", { method: "POST", credentials: "same-origin" }).catch(
    (error: unknown) => {
      throw unreachable(error);
    },
  );
  if (!response.ok) throw await readProblem(response);
}

/** Fills `:name` parts and appends the query; parts that are undefined or empty are left out. */
export function buildUrl(
  path: string,
  params: Readonly<Record<string, unknown>> = {},
  query: Readonly<Record<string, unknown>> = {},
): string {
  const filled = path.replace(/:([a-z]+)/gi, (_, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? filled : `${filled}?${text}`;
}

/** `crypto.randomUUID` exists only on https and localhost; the console can be opened elsewhere too. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

import { AppError, messageOf } from "../../base/index.ts";
import { suspensionIn } from "./app/refusals.ts";

interface RequestFailure {
  readonly status: number;
  readonly response?: {
    readonly headers?: Readonly<Record<string, string | number | undefined>>;
    readonly data?: unknown;
  };
}

interface GraphqlProblem {
  readonly type?: string;
  readonly message?: string;
}

const SECONDARY_PAUSE_MS = 60_000;
// Its words for a field that the schema of this server does not have; the same for all versions of GitHub Enterprise.
const UNDEFINED = /^Field '(\w+)' doesn't exist on type/;

/** A failed call in our own terms: whether it may be tried again and when. Carries no token and no body of ours. */
export function gitHubError(error: unknown, now: Date): AppError {
  if (error instanceof AppError) return error;
  const refused = graphqlError(error, now);
  if (refused !== null) return refused;
  const failure = error as Partial<RequestFailure>;
  const { status } = failure;
  if (status === undefined || failure.response === undefined)
    return new AppError({
      code: "github.unavailable",
      message: `GitHub cannot be reached: ${messageOf(error).slice(0, 300)}`,
      fix: "miyabi doctor",
    });
  const said = messageIn(failure.response.data);
  const headers = failure.response.headers ?? {};
  const pauseMs = pauseOf(status, headers, said, now);
  if (pauseMs !== null)
    return new AppError({
      code: "github.rate_limited",
      message: `GitHub asks to wait ${Math.ceil(pauseMs / 1000)} s: ${said}`,
      details: { retryAfterMs: pauseMs, status },
    });
  const suspended = status === 403 ? suspensionIn(said) : null;
  if (suspended !== null) return suspended;
  const needs = headers["x-accepted-github-permissions"];
  if (status === 401)
    return new AppError({
      code: "github.unauthorized",
      message: `GitHub does not accept our token: ${said}`,
      fix: "Put a new token into .env beside miyabi.yaml, then: miyabi shutdown && miyabi up",
      details: { status },
    });
  if (status === 403)
    return new AppError({
      code: "github.forbidden",
      message: `GitHub does not let us (${status}): ${said}${needs === undefined ? "" : `; it needs ${needs}`}`,
      fix: "miyabi doctor",
      details: { status },
    });
  if (status === 404 || status === 410)
    return new AppError({
      code: "not_found",
      message: `GitHub does not have it (or does not show it to us): ${said}`,
    });
  if (status >= 500)
    return new AppError({ code: "github.unavailable", message: `GitHub failed (${status}): ${said}` });
  return new AppError({
    code: "github.refused",
    message: `GitHub refused it (${status}): ${said}`,
    details: { status },
  });
}

/** GraphQL answers 200 and says inside what went wrong; null where it is another failure. */
function graphqlError(error: unknown, now: Date): AppError | null {
  const { errors, headers = {} } = error as {
    readonly errors?: readonly GraphqlProblem[];
    readonly headers?: Readonly<Record<string, string | number | undefined>>;
  };
  if (!Array.isArray(errors)) return null;
  const said = messageIn({ errors });
  const has = (type: string): boolean => errors.some((one: GraphqlProblem) => one.type === type);
  if (has("RATE_LIMITED")) {
    const resetAt = Number(headers["x-ratelimit-reset"]) * 1_000;
    const retryAfterMs = Number.isFinite(resetAt)
      ? Math.max(1_000, resetAt - now.getTime())
      : SECONDARY_PAUSE_MS;
    return new AppError({
      code: "github.rate_limited",
      message: `GitHub asks to wait ${Math.ceil(retryAfterMs / 1_000)} s: ${said}`,
      details: { retryAfterMs },
    });
  }
  if (has("NOT_FOUND"))
    return new AppError({
      code: "not_found",
      message: `GitHub does not have it (or does not show it to us): ${said}`,
    });
  const undefinedFields = errors.flatMap(
    (one: GraphqlProblem) => UNDEFINED.exec(one.message ?? "")?.[1] ?? [],
  );
  return new AppError({
    code: has("FORBIDDEN") ? "github.forbidden" : "github.refused",
    message: `GitHub refused it: ${said}`,
    ...(has("FORBIDDEN") ? { fix: "miyabi doctor" } : {}),
    ...(undefinedFields.length > 0 ? { details: { undefinedFields } } : {}),
  });
}

/** Milliseconds that the server wants us to wait; null where the failure is another one. */
function pauseOf(
  status: number,
  headers: Readonly<Record<string, string | number | undefined>>,
  said: string,
  now: Date,
): number | null {
  if (status !== 403 && status !== 429) return null;
  const after = Number(headers["retry-after"]);
  if (Number.isFinite(after) && after >= 0) return after * 1_000;
  if (String(headers["x-ratelimit-remaining"]) === "0") {
    const resetAt = Number(headers["x-ratelimit-reset"]) * 1_000;
    return Number.isFinite(resetAt) ? Math.max(1_000, resetAt - now.getTime()) : SECONDARY_PAUSE_MS;
  }
  return status === 429 || /secondary rate limit|abuse/i.test(said) ? SECONDARY_PAUSE_MS : null;
}

function messageIn(data: unknown): string {
  const body = data as { message?: unknown; errors?: readonly { message?: unknown }[] } | null;
  const details = (Array.isArray(body?.errors) ? body.errors : [])
    .map((one: { message?: unknown }) => (typeof one.message === "string" ? one.message : ""))
    .filter((one) => one !== "");
  return [typeof body?.message === "string" ? body.message : "no message", ...details]
    .join("; ")
    .slice(0, 300);
}

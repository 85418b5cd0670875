import type { Problem } from "../../../src/contract/index.ts";

/** Error answer of the API, or the failure to reach it (`status` 0, code `network.unreachable`). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem.detail, { cause });
    this.name = "ApiError";
    this.problem = problem;
  }
}

/** Whether the error says that this browser is not signed in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.problem.status === 401;
}

/** Reads the problem of a failed answer; an answer that is none (a proxy's page) becomes one with its status. */
export async function readProblem(response: Response): Promise<ApiError> {
  const fallback: Problem = {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    code: "http.status",
    detail: `HTTP ${response.status} ${response.statusText}`.trim(),
    fix: null,
    retryable: response.status >= 500,
    details: {},
  };
  try {
    const body: unknown = await response.json();
    return new ApiError(isObject(body) ? { ...fallback, ...body } : fallback);
  } catch (cause) {
    return new ApiError(fallback, cause);
  }
}

/** The problem of a request that got no answer. */
export function unreachable(cause: unknown): ApiError {
  return new ApiError(
    {
      type: "about:blank",
      title: "Unreachable",
      status: 0,
      code: "network.unreachable",
      detail: cause instanceof Error ? cause.message : String(cause),
      fix: "miyabi up",
      retryable: true,
      details: {},
    },
    cause,
  );
}

function isObject(value: unknown): value is Partial<Problem> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

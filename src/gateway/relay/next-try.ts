import { backoffMs, type Random } from "../../base/index.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Failure } from "./failure.ts";

/** What follows a failed try. */
export type NextTry =
  | { readonly next: "again"; readonly waitMs: number }
  | { readonly next: "elsewhere" }
  /** The caller is told. */
  | { readonly next: "none" };

interface NextTryParams {
  readonly failure: Failure;
  /** Tries at this provider so far, this one included. */
  readonly tries: number;
  /** Whether another target may be called now. */
  readonly elsewhere: boolean;
  readonly retry: GatewaySettings["retry"];
  readonly random: Random;
}

const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529]);
/** Our key, our account or our name of the model are refused there; another provider may take the call. */
const ELSEWHERE = new Set([401, 402, 403, 404]);

/** Whether a status says that the request is wrong, so that no other provider would take it. */
export const isRequestWrong = (status: number | null): boolean =>
  status !== null && status >= 400 && !AGAIN.has(status) && !ELSEWHERE.has(status);

/** Decides by the failure alone; a request that the provider finds wrong is never sent twice. Pure but for the jitter. */
export function nextTry(params: Readonly<NextTryParams>): NextTry {
  const { failure, retry } = params;
  if (failure.kind === "request") return { next: "none" };
  const status = failure.kind === "status" ? (failure.status ?? 0) : null;
  const again = status === null || AGAIN.has(status);
  if (params.elsewhere && (again || ELSEWHERE.has(status))) return { next: "elsewhere" };
  // A provider that did not answer in time would be waited for twice as long.
  if (!again || failure.final || failure.kind === "timeout" || params.tries > retry.attempts)
    return { next: "none" };
  const waitMs =
    failure.retryAfterMs ??
    backoffMs({ attempt: params.tries, baseMs: retry.baseMs, maxMs: retry.maxWaitMs, random: params.random });
  return waitMs > retry.maxWaitMs ? { next: "none" } : { next: "again", waitMs };
}

import type { ServerResponse } from "node:http";
import type { Reply } from "./routes.ts";

/** What goes wrong with a request, once for each of `times`. */
export interface Fault {
  readonly method: string;
  readonly path: RegExp;
  readonly when: FaultKind;
  times: number;
}

/**
 * - `before`: the connection is reset, and nothing happened; `after`: the same, and it happened.
 * - `hang`, `hang-after`: no answer comes, and it did not happen, or did.
 * - `cut`, `cut-clean`: it happens, and half of the answer comes; with an end that looks right in the second case.
 * - `500` (it did not happen), `502` (it did; a page instead of JSON), `429` and `secondary` (403), each with `retry-after`; `abuse`: 403
 *   with the documented text alone.
 */
export type FaultKind =
  | "before"
  | "after"
  | "hang"
  | "hang-after"
  | "cut"
  | "cut-clean"
  | "500"
  | "502"
  | "429"
  | "secondary"
  | "abuse";

const SECONDARY =
  "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.";
const DOCUMENTATION =
  "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits";
/** Seconds. */
export const RETRY_AFTER = 60;

/** As GitHub documents the refusal of its secondary limits; without `retry-after` where it is null. */
export function secondaryRefusal(status: 403 | 429, retryAfter: number | null = RETRY_AFTER): Reply {
  return {
    status,
    body: { message: SECONDARY, documentation_url: DOCUMENTATION },
    ...(retryAfter === null ? {} : { headers: { "retry-after": String(retryAfter) } }),
  };
}

/** Answers instead of the server, before anything happened. False: it did not. */
export function failBefore(fault: Fault | undefined, response: ServerResponse): Reply | "dealt-with" | null {
  switch (fault?.when) {
    case "before":
      response.destroy();
      return "dealt-with";
    case "hang":
      return "dealt-with";
    case "500":
      return { status: 500, body: { message: "Server Error" } };
    case "429":
      return secondaryRefusal(429);
    case "secondary":
      return secondaryRefusal(403);
    case "abuse":
      return secondaryRefusal(403, null);
    default:
      return null;
  }
}

/** The same after it happened. */
export function failAfter(fault: Fault | undefined, response: ServerResponse, reply: Reply): boolean {
  const text = JSON.stringify(reply.body);
  const half = text.slice(0, text.length / 2);
  const type = { "content-type": "application/json; charset=utf-8" };
  switch (fault?.when) {
    case "after":
      response.destroy();
      return true;
    case "hang-after":
      return true;
    case "502":
      response.writeHead(502, { "content-type": "text/html" });
      response.end("<html><body><h1>502 Bad Gateway</h1></body></html>");
      return true;
    case "cut":
      response.writeHead(reply.status, { ...type, "content-length": Buffer.byteLength(text) });
      response.write(half, () => response.destroy());
      return true;
    case "cut-clean":
      response.writeHead(reply.status, type);
      response.end(half);
      return true;
    default:
      return false;
  }
}

/** GitHub's limit for what an account writes; null: none. */
export interface SecondaryLimit {
  readonly writes: number;
  readonly windowMs: number;
  readonly status: 403 | 429;
  /** How time goes by; default `Date.now`. */
  readonly now?: () => number;
}

/** Writes of the window, and how often one was refused; what is refused counts too. */
export interface WriteLog {
  readonly at: number[];
  refusals: number;
  underWay: number;
  mostUnderWay: number;
}

/** Null where the write is within the limit. */
export function refuseOverLimit(limit: SecondaryLimit, log: WriteLog): Reply | null {
  const now = limit.now?.() ?? Date.now();
  const recent = log.at.filter((at) => at > now - limit.windowMs);
  log.at.push(now);
  if (recent.length < limit.writes) return null;
  log.refusals += 1;
  return secondaryRefusal(limit.status);
}

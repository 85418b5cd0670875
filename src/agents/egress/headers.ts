import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Every way in which clients of model APIs send a key, and what could pass for another identity. */
const CREDENTIALS = new Set([
  "authorization",
  "api-key",
  "cookie",
  "x-api-key",
  "x-auth-token",
  "x-goog-api-key",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "forwarded",
  "origin",
  "referer",
]);

/** Headers that may cross a proxy: without hop-by-hop ones, those that `connection` names, and `host`. Pure. */
export function endToEndHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => value !== undefined && name !== "host" && !HOP_BY_HOP.has(name) && !named.has(name),
    ),
  );
}

/** What an agent sent, with its credentials replaced by the run's. Pure. */
export function identifiedHeaders(headers: IncomingHttpHeaders, token: string): OutgoingHttpHeaders {
  const kept = Object.entries(endToEndHeaders(headers)).filter(([name]) => !CREDENTIALS.has(name));
  return { ...Object.fromEntries(kept), authorization: `Bearer ${token}` };
}

import type { IncomingHttpHeaders } from "node:http";

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
// Keys of the caller (they are ours, never the provider's), the console's cookie, and what belongs to our own connection.
const NOT_FORWARDED = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "cookie",
  "host",
  "content-length",
  "expect",
]);
/** What begins so is said to us, not to the provider. */
const OURS = "x-miyabi-";
const LONGEST_KEY = 1_000;
// A provider's cookie would be set for our own origin, beside the console's.
const NOT_RETURNED = new Set([...HOP_BY_HOP, "set-cookie"]);

/**
 * Headers for the provider as a flat list of names and values: the caller's, in their order and spelling, without its
 * keys and without hop-by-hop ones; then ours, which replace the caller's of the same name.
 */
export function requestHeaders(
  rawHeaders: readonly string[],
  connection: string | undefined,
  added: Readonly<Record<string, string>>,
): string[] {
  const dropped = namedByConnection(connection);
  const result: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || lower.startsWith(OURS) || dropped.has(lower) || lower in added) continue;
    result.push(name, rawHeaders[index + 1] ?? "");
  }
  for (const [name, value] of Object.entries(added)) result.push(name, value);
  return result;
}

/** Headers of the provider's answer as they go to the caller. */
export function responseHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const dropped = namedByConnection(headers.connection);
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (value === undefined || NOT_RETURNED.has(lower) || dropped.has(lower)) continue;
    result[name] = value;
  }
  return result;
}

function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined) return new Set();
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

/** Keys that a caller shows, in the order in which they are tried; Gemini's clients may put theirs into the URL. */
export function callerKeys(headers: IncomingHttpHeaders, url: string): string[] {
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const inUrl = url.startsWith("/v1beta/") ? /[?&]key=([^&]+)/.exec(url)?.[1] : undefined;
  const shown = [headers["x-api-key"], bearer, headers["x-goog-api-key"], headers["api-key"], inUrl];
  return [
    ...new Set(
      shown.filter(
        (key): key is string => typeof key === "string" && key !== "" && key.length <= LONGEST_KEY,
      ),
    ),
  ];
}

/** The query as the provider gets it: without a key, which is ours. */
export function queryOf(url: string): string {
  const mark = url.indexOf("?");
  if (mark === -1) return "";
  const query = url.slice(mark);
  if (!/[?&]key=/.test(query)) return query;
  const kept = query
    .slice(1)
    .split("&")
    .filter((part) => !part.startsWith("key="));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

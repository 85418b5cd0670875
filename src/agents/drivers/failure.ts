import { cutText } from "../../base/index.ts";

export type AgentFailure =
  | { readonly kind: "quota"; readonly resetAt: Date | null; readonly detail: string }
  | { readonly kind: "authentication"; readonly detail: string }
  | { readonly kind: "other"; readonly detail: string };

// What Claude Code, Codex, Copilot, Gemini and their providers say when a limit is used up.
const QUOTA =
  /usage limit reached|hit your (?:[\w-]+ )?limit|usage limit|limit will reset|insufficient[_ ]quota|quota (?:exceeded|exhausted|reached)|exceeded your (?:current |monthly )?quota|resource[_ ]exhausted|rate[_ -]?limit(?:ed|_error| (?:reached|exceeded))|too many requests|out of (?:extra )?(?:usage|credits)|credit balance is too low|\b429\b/i;
const AUTHENTICATION =
  /authentication[_ ](?:required|error|failed)|auth(?:entication)? required|not (?:logged|signed) in|please (?:run )?\/?log ?in|invalid (?:x-)?api[_ -]key|api key (?:is )?(?:missing|not|invalid)|missing api key|unauthori[sz]ed|\b401\b|oauth token (?:has )?expired/i;

const MAX_DETAIL_BYTES = 2_000;
/** A last message longer than this is the agent's own words about limits, not a provider's notice. */
const MAX_NOTICE_LENGTH = 400;

/** What an agent's error means. `now` turns "in 5 minutes" into an instant. Pure. */
export function classifyFailure(text: string, now: Date): AgentFailure {
  const detail = cutText(text.trim(), MAX_DETAIL_BYTES);
  if (QUOTA.test(text)) return { kind: "quota", resetAt: parseResetTime(text, now), detail };
  if (AUTHENTICATION.test(text)) return { kind: "authentication", detail };
  return { kind: "other", detail };
}

const NOTICE =
  /^(?:\W*(?:error|api error)[:\s]+)?(?:\d{3}\s+)?\W*(?:claude (?:ai )?usage limit reached|exceeded retry limit, last status: 4(?:29|01)|unexpected status 4(?:29|01)|(?:5-hour|weekly|session|usage) limit reached|you['’]ve (?:hit|reached) your|you have (?:hit|reached) your|you exceeded your current quota|api error: (?:429|401)|rate[_ -]?limit|insufficient[_ ]quota|credit balance is too low|invalid api key|please run \/login|not logged in)/i;

/**
 * Some agents report a limit or a missing login as the words of a turn that ends normally. Null where `text`, the last
 * message of the turn, is not such a notice. Pure.
 */
export function classifyNotice(text: string, now: Date): AgentFailure | null {
  const trimmed =
    text
      .trim()
      .split(/\n{2,}/)
      .at(-1) ?? "";
  if (trimmed.length > MAX_NOTICE_LENGTH || !NOTICE.test(trimmed)) return null;
  const failure = classifyFailure(trimmed, now);
  return failure.kind === "other" ? null : failure;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};
const MAX_RESET_MS = 40 * 86_400_000;

/**
 * When a usage limit ends, as the message states it; null where it states nothing readable or nothing within 40 days.
 * Understands epoch seconds ("…reached|1763700000"), ISO instants, durations ("try again in 2 days 3 hours 5 minutes",
 * "retry after 30s"), dates ("try again at Nov 21st, 2026 3:15 PM", taken as UTC) and times of day with an optional time
 * zone ("resets 3pm (Asia/Tokyo)"; without a zone UTC, because the agent runs in the sandbox without one). Pure.
 */
export function parseResetTime(text: string, now: Date): Date | null {
  const found =
    epochTime(text) ?? isoTime(text) ?? durationTime(text, now) ?? dateTime(text) ?? timeOfDay(text, now);
  if (found === null || Number.isNaN(found.getTime())) return null;
  const aheadMs = found.getTime() - now.getTime();
  return aheadMs > 0 && aheadMs <= MAX_RESET_MS ? found : null;
}

function epochTime(text: string): Date | null {
  const match = /(?:\||reset[_a-z]*["'\s:=]+)(\d{10})(?:\d{3})?\b/i.exec(text);
  return match === null ? null : new Date(Number(match[1]) * 1_000);
}

function isoTime(text: string): Date | null {
  const match = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})/.exec(text);
  return match === null ? null : new Date(match[0]);
}

function durationTime(text: string, now: Date): Date | null {
  const start =
    /(?:\bin|after|retry[-_ ]?after["'\s:=]*|retryDelay["'\s:=]*)\s*["']?((?:[\d.]+\s*[a-z]+[,\s]*(?:and\s+)?){1,4}|\d+)/i.exec(
      text,
    );
  if (start?.[1] === undefined) return null;
  if (/^\d+$/.test(start[1])) return new Date(now.getTime() + Number(start[1]) * 1_000);
  let totalMs = 0;
  for (const part of start[1].matchAll(
    /([\d.]+)\s*(d|h|m|s)(?:ays?|ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?\b/gi,
  ))
    totalMs += Number(part[1]) * (UNITS_MS[(part[2] ?? "").toLowerCase()] ?? 0);
  return totalMs > 0 ? new Date(now.getTime() + totalMs) : null;
}

function dateTime(text: string): Date | null {
  const match =
    /\b((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2})(?:st|nd|rd|th)?,? (\d{4}),?(?: at)? (\d{1,2}:\d{2}(?: ?[ap]m)?)/i.exec(
      text,
    );
  if (match === null) return null;
  return new Date(`${match[1]}, ${match[2]} ${(match[3] ?? "").replace(/([ap]m)/i, " $1")} UTC`);
}

function timeOfDay(text: string, now: Date): Date | null {
  const match =
    /(?:resets?|again|until|reset at)(?: at| on)?[ :·∙]*(\d{1,2})(?::(\d{2}))? ?([ap]m)?(?: ?\(([A-Za-z_]+(?:\/[A-Za-z_+-]+)*)\))?/i.exec(
      text,
    );
  if (match === null || (match[2] === undefined && match[3] === undefined)) return null;
  const half = match[3]?.toLowerCase();
  const hours = (Number(match[1]) % (half === undefined ? 24 : 12)) + (half === "pm" ? 12 : 0);
  const wantedMs = (hours * 60 + Number(match[2] ?? 0)) * 60_000;
  const localMs = localTimeOfDayMs(now, match[4] ?? "UTC");
  if (localMs === null) return null;
  const aheadMs = (wantedMs - localMs + UNITS_MS["d"]! * 2) % UNITS_MS["d"]!;
  return new Date(now.getTime() + (aheadMs === 0 ? UNITS_MS["d"]! : aheadMs));
}

/** Milliseconds since midnight in a time zone; null where the zone is unknown. */
function localTimeOfDayMs(now: Date, timeZone: string): number | null {
  try {
    const parts = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    }).formatToParts(now);
    const part = (type: string): number => Number(parts.find((p) => p.type === type)?.value ?? 0);
    return (
      part("hour") * 3_600_000 + part("minute") * 60_000 + part("second") * 1_000 + (now.getTime() % 1_000)
    );
  } catch {
    return null;
  }
}

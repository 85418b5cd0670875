/** `4m 12s`, `2h 05m`, `3d 4h`; under a second `0.4s`. Negative counts as 0. The units are the same in every language. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 1000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${pad(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${pad(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `$0.42`; under a cent `<$0.01`; null (price not known) gives null, for the caller's own word. */
export function formatMoney(micros: number | null): string | null {
  if (micros === null) return null;
  if (micros > 0 && micros < 10_000) return "<$0.01";
  return `$${(micros / 1_000_000).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** As `formatMoney`, but exact below a cent: `$0.000042`. For single calls, most of which cost less. */
export function formatExactMoney(micros: number | null): string | null {
  if (micros === null || micros <= 0 || micros >= 10_000) return formatMoney(micros);
  return `$${(micros / 1_000_000).toFixed(6).replace(/0+$/, "")}`;
}

/** USD per million tokens: `$2.50`, `$0.075`; null where there is no such price. */
export function formatRate(usd: number | null): string | null {
  return usd === null
    ? null
    : `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 })}`;
}

/** `950`, `12.4k`, `3.1M`. */
export function formatCount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_950) return `${trim(count / 1000)}k`;
  return `${trim(count / 1_000_000)}M`;
}

/** First 8 characters of a commit hash. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}

/** `3 minutes ago` / `in 2 hours` in the language; under 5 s `now`. */
export function formatRelative(atMs: number, nowMs: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const seconds = Math.round((atMs - nowMs) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return format.format(0, "second");
  if (size < 60) return format.format(seconds, "second");
  if (size < 3600) return format.format(Math.trunc(seconds / 60), "minute");
  if (size < 86_400) return format.format(Math.trunc(seconds / 3600), "hour");
  return format.format(Math.trunc(seconds / 86_400), "day");
}

/** Date, time and zone of the viewer, to the second. */
export function formatExact(atMs: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" }).format(atMs);
}

/** `14:05:09` in the viewer's zone. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

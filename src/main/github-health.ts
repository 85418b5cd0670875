import type { ComponentHealth } from "../contract/index.ts";
import type { GitHubUsage } from "../sources/index.ts";

/** How much of GitHub's limits is used, in figures; degraded while something waits for them. Pure. */
export function githubHealth(
  { requests, writes, waiting, pauseMs, withoutChecks }: GitHubUsage,
  now: Date,
): ComponentHealth {
  const said = [
    requests === null
      ? "Nothing was asked yet."
      : `${requests.remaining} of ${requests.limit} requests left until ${requests.resetAt.toISOString().slice(11, 16)} UTC.`,
  ];
  if (writes !== null)
    said.push(`${writes.hour} of ${writes.limits.perHour} writes in the last hour, ${waiting} waiting.`);
  const pausedMs = Math.max(pauseMs, (writes?.pausedUntil?.getTime() ?? 0) - now.getTime());
  if (pausedMs > 0) said.push(`GitHub asked us to wait ${Math.ceil(pausedMs / 1_000)} s more.`);
  if (withoutChecks.length > 0)
    said.push(
      `Check runs are left out of ${withoutChecks.join(", ")}: they need a GitHub App with "checks: write".`,
    );
  const isFull = writes !== null && waiting > 0 && writes.hour >= writes.limits.perHour / 2;
  return {
    name: "github",
    state: pausedMs > 0 || isFull ? "degraded" : "ok",
    detail: said.join(" "),
    fix: null,
    params: {
      remaining: requests?.remaining ?? "–",
      limit: requests?.limit ?? "–",
      written: writes?.hour ?? 0,
      perHour: writes?.limits.perHour ?? "∞",
      waiting,
    },
  };
}

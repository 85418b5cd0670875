import type { KeyTerms } from "../gateway/index.ts";
import type { GitHubSettings } from "../sources/index.ts";

type ClassifySettings = NonNullable<GitHubSettings["classify"]>;

/** What the virtual key allows with which the model is asked for labels of issues: this model, within this budget. */
export function classifyKeyTerms({ model, dayUsd, monthUsd }: ClassifySettings): KeyTerms {
  return {
    name: "labels of issues",
    kind: "tool",
    team: null,
    taskId: null,
    models: [model],
    requestsPerMinute: 60,
    tokensPerMinute: null,
    budgets: {
      dayMicros: Math.round(dayUsd * 1_000_000),
      monthMicros: monthUsd === null ? null : Math.round(monthUsd * 1_000_000),
      taskMicros: null,
    },
    // A question that is asked again after a crash costs nothing.
    cache: true,
    expiresAt: null,
  };
}

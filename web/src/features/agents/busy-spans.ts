import type { AgentView } from "../../../../src/contract/index.ts";

const DAY_MS = 86_400_000;

/** A busy span as shares of the last 24 h: 0 = 24 h ago, 1 = now. */
export interface BusySpan {
  readonly start: number;
  readonly width: number;
  readonly taskId: string;
}

/** Places busy spans on the strip of the last 24 h; what lies outside is cut off, very short ones stay visible. */
export function busySpans(history: AgentView["history"], nowMs: number): readonly BusySpan[] {
  const from = nowMs - DAY_MS;
  const spans: BusySpan[] = [];
  for (const span of history) {
    const start = Math.max(Date.parse(span.from), from);
    const end = Math.min(span.to === null ? nowMs : Date.parse(span.to), nowMs);
    if (end < start) continue;
    const width = Math.max((end - start) / DAY_MS, 0.003);
    spans.push({ start: Math.min((start - from) / DAY_MS, 1 - width), width, taskId: span.taskId });
  }
  return spans;
}

/** Share of the last 24 h in which the agent was busy, 0 to 1. */
export function busyShare(history: AgentView["history"], nowMs: number): number {
  const from = nowMs - DAY_MS;
  const busyMs = history.reduce((sum, span) => {
    const end = Math.min(span.to === null ? nowMs : Date.parse(span.to), nowMs);
    return sum + Math.max(0, end - Math.max(Date.parse(span.from), from));
  }, 0);
  return Math.min(1, busyMs / DAY_MS);
}

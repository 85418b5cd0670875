import type { ChatSettings } from "../chat/index.ts";
import type { KeyTerms } from "../gateway/index.ts";

const micros = (usd: number | null): number | null => (usd === null ? null : Math.round(usd * 1_000_000));

/** What the virtual key of a person allows in the chat. */
export function chatKeyTerms(name: string, { person }: ChatSettings): KeyTerms {
  return {
    name,
    kind: "person",
    team: null,
    taskId: null,
    models: person.models,
    requestsPerMinute: person.requestsPerMinute,
    tokensPerMinute: null,
    budgets: { dayMicros: micros(person.dayUsd), monthMicros: micros(person.monthUsd), taskMicros: null },
    // An answer that is written again is to be another one.
    cache: false,
    expiresAt: null,
  };
}

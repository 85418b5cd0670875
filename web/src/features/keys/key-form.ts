import type { CallArguments } from "../../api/client.ts";
import type { KEY_KINDS } from "./key-search.ts";

/** What is typed into the form of a new key; an empty field is no limit. */
export interface KeyForm {
  readonly name: string;
  readonly kind: (typeof KEY_KINDS)[number];
  readonly team: string;
  readonly taskId: string;
  readonly models: readonly string[];
  /** USD. */
  readonly day: number | string;
  readonly month: number | string;
  readonly task: number | string;
  /** Per minute. */
  readonly requests: number | string;
  readonly tokens: number | string;
  /** As `datetime-local` gives it, in the viewer's zone. */
  readonly expires: string;
  readonly cache: boolean;
}

export const EMPTY_KEY: KeyForm = {
  name: "",
  kind: "tool",
  team: "",
  taskId: "",
  models: [],
  day: "",
  month: "",
  task: "",
  requests: "",
  tokens: "",
  expires: "",
  cache: false,
};

const numberOf = (value: number | string): number | null => {
  const number = typeof value === "number" ? value : Number.parseFloat(value);
  return Number.isFinite(number) ? number : null;
};
const micros = (value: number | string): number | null => {
  const usd = numberOf(value);
  return usd === null ? null : Math.round(usd * 1_000_000);
};
const textOf = (value: string): string | null => (value.trim() === "" ? null : value.trim());

/** The terms as the API takes them. */
export function toNewKey(form: KeyForm): CallArguments<"createGatewayKey">["body"] {
  const expires = Date.parse(form.expires);
  return {
    name: form.name.trim(),
    kind: form.kind,
    team: textOf(form.team),
    taskId: textOf(form.taskId),
    models: form.models.length === 0 ? null : [...form.models],
    budgetDayMicros: micros(form.day),
    budgetMonthMicros: micros(form.month),
    budgetTaskMicros: micros(form.task),
    requestsPerMinute: numberOf(form.requests),
    tokensPerMinute: numberOf(form.tokens),
    expiresAt: Number.isNaN(expires) ? null : new Date(expires).toISOString(),
    cache: form.cache,
  };
}

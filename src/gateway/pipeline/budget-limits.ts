import type { BudgetLimit } from "../../guard/index.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Caller } from "./caller.ts";

/** A budget that holds for a call, with its name for people. */
export interface NamedLimit extends BudgetLimit {
  /** e.g. `day budget of key "aider"`. */
  readonly label: string;
  /** When it is full again, by the calendar (UTC); null: never by itself. */
  readonly endsAt: Date | null;
}

const DAY_MS = 86_400_000;

interface Known {
  readonly settings: GatewaySettings["budgets"];
  readonly day: number;
  readonly limits: readonly NamedLimit[];
}

const known = new WeakMap<Caller, Known>();

/**
 * Every budget that holds for a call at an instant: of its key, its team, its task, and of the whole installation; the same
 * list for the same caller on one day.
 */
export function limitsOf(
  caller: Caller,
  settings: GatewaySettings["budgets"],
  at: Date,
): readonly NamedLimit[] {
  const day = Math.floor(at.getTime() / DAY_MS);
  const before = known.get(caller);
  if (before?.settings === settings && before.day === day) return before.limits;
  const limits = limitsOn(caller, settings, at);
  known.set(caller, { settings, day, limits });
  return limits;
}

function limitsOn(caller: Caller, settings: GatewaySettings["budgets"], at: Date): readonly NamedLimit[] {
  const limits: NamedLimit[] = [];
  const add = (
    whose: string,
    label: string,
    day: number | null | undefined,
    month: number | null | undefined,
  ): void => {
    if (day != null)
      limits.push({
        account: `${whose} day:${at.toISOString().slice(0, 10)}`,
        label: `day budget of ${label}`,
        limitMicros: day,
        endsAt: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1)),
      });
    if (month != null)
      limits.push({
        account: `${whose} month:${at.toISOString().slice(0, 7)}`,
        label: `month budget of ${label}`,
        limitMicros: month,
        endsAt: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1)),
      });
  };
  add("all", "this installation (gateway.budgets)", settings.dayUsd, settings.monthUsd);
  const { team, keyId, taskId, budgets } = caller;
  if (keyId !== null) add(`key:${keyId}`, caller.label, budgets.dayMicros, budgets.monthMicros);
  if (team !== null && Object.hasOwn(settings.teams, team))
    add(`team:${team}`, `team "${team}"`, settings.teams[team]?.dayUsd, settings.teams[team]?.monthUsd);
  const perTask = (account: string, label: string, limitMicros: number | null): void => {
    if (limitMicros !== null && taskId !== null)
      limits.push({ account, limitMicros, endsAt: null, label: `budget of task ${taskId} (${label})` });
  };
  // A run has no key: what stands here was set for its task.
  if (keyId === null && budgets.taskMicros !== null)
    perTask(`task:${taskId}`, "set for it", budgets.taskMicros);
  else perTask(`task:${taskId}`, "gateway.budgets.taskUsd", settings.taskUsd);
  if (keyId !== null) perTask(`key:${keyId} task:${taskId}`, caller.label, budgets.taskMicros);
  return limits;
}

import type { Queryable } from "../store/index.ts";
import type { VirtualKey } from "./keys/key-store.ts";
import { limitsOf, type NamedLimit } from "./pipeline/budget-limits.ts";
import type { Caller } from "./pipeline/caller.ts";
import type { GatewaySettings } from "./settings.ts";

/** A budget that holds now, and what of it is used. USD × 10⁻⁶. */
export interface BudgetRow {
  readonly scope: "all" | "team" | "key" | "task";
  /** Name of the team, id of the key or of the task; null: the whole installation. */
  readonly owner: string | null;
  readonly period: "day" | "month" | "task";
  /** Of `period` task: the task that it is for. */
  readonly taskId: string | null;
  readonly limitMicros: number;
  readonly spentMicros: number;
  /** Held by calls under way. */
  readonly reservedMicros: number;
  /** When it is full again; null: never by itself. */
  readonly endsAt: Date | null;
}

interface BudgetTableParams {
  readonly settings: GatewaySettings["budgets"];
  /** Those that are revoked or expired are passed over. */
  readonly keys: readonly VirtualKey[];
  readonly at: Date;
}

const NOBODY: Caller = {
  keyId: null,
  keyName: null,
  kind: "run",
  label: "",
  runId: null,
  taskId: null,
  team: null,
  models: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgets: { dayMicros: null, monthMicros: null, taskMicros: null },
  cache: false,
};
const MOST_TASKS = 200;
const ACCOUNT = /^(?:(all)|(team|key|task):(.+?))(?: (?:(day|month):[\d-]+|task:(T\d+)))?$/s;

/** The budgets of the installation, its teams and keys, and of the tasks that have not ended, the fullest first. */
export async function budgetTable(
  db: Queryable,
  { settings, keys, at }: Readonly<BudgetTableParams>,
): Promise<readonly BudgetRow[]> {
  const callers: Caller[] = [
    NOBODY,
    ...Object.keys(settings.teams).map((team) => ({ ...NOBODY, team })),
    ...keys
      .filter(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > at))
      .map(({ id, taskId, budgets }) => ({ ...NOBODY, keyId: id, taskId, budgets })),
    ...(await callersOfTasks(db, settings.taskUsd)),
  ];
  const limits = new Map<string, NamedLimit>();
  for (const caller of callers)
    for (const limit of limitsOf(caller, settings, at)) limits.set(limit.account, limit);
  const { rows } = await db.query<{ account: string; spent: number; reserved: number }>(
    `select account, spent_micros::float8 as spent, reserved_micros::float8 as reserved
     from miyabi.budgets where account = any($1)`,
    [[...limits.keys()]],
  );
  const used = new Map(rows.map((row) => [row.account, row]));
  return [...limits.values()]
    .map((limit) => rowOf(limit, used.get(limit.account)?.spent ?? 0, used.get(limit.account)?.reserved ?? 0))
    .toSorted((a, b) => shareOf(b) - shareOf(a));
}

const shareOf = ({ spentMicros, limitMicros }: BudgetRow): number =>
  limitMicros === 0 ? 1 : spentMicros / limitMicros;

function rowOf({ account, limitMicros, endsAt }: NamedLimit, spent: number, reserved: number): BudgetRow {
  const [, all, whose, name = "", period, keysTask] = ACCOUNT.exec(account) ?? [];
  const taskId = keysTask ?? (whose === "task" ? name : null);
  return {
    scope: all === undefined ? (whose as "team" | "key" | "task") : "all",
    owner: all === undefined ? name : null,
    period: taskId === null ? (period as "day" | "month") : "task",
    taskId,
    limitMicros,
    spentMicros: spent,
    reservedMicros: reserved,
    endsAt,
  };
}

/** Tasks with a budget that are not over and have called a model, or have a budget of their own. */
async function callersOfTasks(db: Queryable, usualMicros: number | null): Promise<readonly Caller[]> {
  const { rows } = await db.query<{ id: string; own: number | null }>(
    `select t.id, t.budget_micros::float8 as own from miyabi.tasks t
     left join miyabi.budgets b on b.account = 'task:' || t.id
     where t.state not in ('done', 'failed', 'cancelled')
       and (t.budget_micros is not null or ($1::float8 is not null and b.account is not null))
     order by b.spent_micros desc nulls last limit ${MOST_TASKS}`,
    [usualMicros],
  );
  return rows.map(({ id, own }) => ({
    ...NOBODY,
    taskId: id,
    budgets: { ...NOBODY.budgets, taskMicros: own },
  }));
}

import { createHash } from "node:crypto";
import { AppError, type Random } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { Caller, KeyBudgets } from "../pipeline/caller.ts";

export const KEY_KINDS = ["person", "tool", "team"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What a virtual key allows. */
export interface KeyTerms {
  readonly name: string;
  readonly kind: KeyKind;
  /** Null: none; a key of kind `team` then belongs to the team of its name. */
  readonly team: string | null;
  readonly taskId: string | null;
  /** Globs; null: every model. */
  readonly models: readonly string[] | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly budgets: KeyBudgets;
  readonly cache: boolean;
  readonly expiresAt: Date | null;
}

export interface VirtualKey extends KeyTerms {
  readonly id: string;
  /** First characters, to tell keys apart. */
  readonly start: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly revokedAt: Date | null;
}

export interface KeyStore {
  /** The key itself is in this answer only; what is kept is its hash. @throws input.invalid where the task does not exist */
  create(terms: KeyTerms, by: string): Promise<{ readonly key: string; readonly view: VirtualKey }>;
  /** Makes the key with these characters, or gives it these terms where it exists; one that was revoked stays so. */
  ensure(key: string, terms: KeyTerms, by: string): Promise<VirtualKey>;
  /** Newest first. */
  list(): Promise<readonly VirtualKey[]>;
  /** From now on it is refused. Again changes nothing. @throws not_found */
  revoke(id: string): Promise<VirtualKey>;
  /** Null: unknown, revoked or expired. */
  identify(key: string): Promise<Caller | null>;
}

const PREFIX = "mk-";
const SHOWN = 10;
const COLUMNS = `id, name, kind, team, task_id, key_start, models, requests_per_minute, tokens_per_minute,
  budget_day_micros::float8 as day, budget_month_micros::float8 as month, budget_task_micros::float8 as task_budget,
  cache, created_at, created_by, expires_at, revoked_at`;

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly kind: KeyKind;
  readonly team: string | null;
  readonly task_id: string | null;
  readonly key_start: string;
  readonly models: string[] | null;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly day: number | null;
  readonly month: number | null;
  readonly task_budget: number | null;
  readonly cache: boolean;
  readonly created_at: Date;
  readonly created_by: string;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** Virtual keys in the database. */
export function createKeyStore(
  params: Readonly<{ database: Database; random: Pick<Random, "token"> }>,
): KeyStore {
  const { database } = params;
  return {
    create: async (terms, by) => {
      const key = PREFIX + params.random.token();
      return { key, view: await insert(database, key, terms, by) };
    },
    ensure: (key, terms, by) => insert(database, key, terms, by),
    list: async () => {
      const { rows } = await database.query<KeyRow>(
        `select ${COLUMNS} from miyabi.gateway_keys order by created_at desc, id desc limit 10000`,
      );
      return rows.map(viewOf);
    },
    revoke: async (id) => {
      const { rows } = await database.query<KeyRow>(
        `update miyabi.gateway_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning ${COLUMNS}`,
        [id],
      );
      return viewOf(required(rows[0], id));
    },
    identify: async (key) => {
      // Nothing else has the prefix: other keys are no question for the database.
      if (!key.startsWith(PREFIX)) return null;
      const { rows } = await database.query<KeyRow>(
        `select ${COLUMNS} from miyabi.gateway_keys
         where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
        [hashOf(key)],
      );
      return rows[0] === undefined ? null : callerOf(viewOf(rows[0]));
    },
  };
}

async function insert(database: Database, key: string, terms: KeyTerms, by: string): Promise<VirtualKey> {
  if (terms.taskId !== null) await requireTask(database, terms.taskId);
  const { rows } = await database.query<KeyRow>(
    `insert into miyabi.gateway_keys (name, kind, team, task_id, key_hash, key_start, models, requests_per_minute,
       tokens_per_minute, budget_day_micros, budget_month_micros, budget_task_micros, cache, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     on conflict (key_hash) do update set name = $1, kind = $2, team = $3, task_id = $4, models = $7,
       requests_per_minute = $8, tokens_per_minute = $9, budget_day_micros = $10, budget_month_micros = $11,
       budget_task_micros = $12, cache = $13, expires_at = $15
     returning ${COLUMNS}`,
    [
      terms.name,
      terms.kind,
      terms.team ?? (terms.kind === "team" ? terms.name : null),
      terms.taskId,
      hashOf(key),
      key.slice(0, SHOWN),
      terms.models,
      terms.requestsPerMinute,
      terms.tokensPerMinute,
      terms.budgets.dayMicros,
      terms.budgets.monthMicros,
      terms.budgets.taskMicros,
      terms.cache,
      by,
      terms.expiresAt,
    ],
  );
  return viewOf(required(rows[0], ""));
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

async function requireTask(database: Database, id: string): Promise<void> {
  const { rowCount } = await database.query("select 1 from miyabi.tasks where id = $1", [id]);
  if (rowCount === 0)
    throw new AppError({
      code: "input.invalid",
      message: `task: there is no task ${id}.`,
      fix: "miyabi task list",
      details: { field: "taskId" },
    });
}

function required(row: KeyRow | undefined, id: string): KeyRow {
  if (row !== undefined) return row;
  throw new AppError({ code: "not_found", message: `There is no key ${id}.`, fix: "miyabi keys list" });
}

function viewOf(row: KeyRow): VirtualKey {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    team: row.team,
    taskId: row.task_id,
    start: row.key_start,
    models: row.models,
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute,
    budgets: { dayMicros: row.day, monthMicros: row.month, taskMicros: row.task_budget },
    cache: row.cache,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

function callerOf(key: VirtualKey): Caller {
  return {
    keyId: key.id,
    keyName: key.name,
    kind: key.kind,
    label: `key ${key.id} "${key.name}"`,
    runId: null,
    taskId: key.taskId,
    team: key.team,
    models: key.models,
    requestsPerMinute: key.requestsPerMinute,
    tokensPerMinute: key.tokensPerMinute,
    budgets: key.budgets,
    cache: key.cache,
  };
}

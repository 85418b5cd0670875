import { messageOf, type Log } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import { storable } from "../ledger-store.ts";

/** Summaries of turns that were left out, so that a restart does not pay for them again. */
export interface SummaryStore {
  /** Null: there is none, or the database is away. */
  find(hash: string): Promise<string | null>;
  /** The summary that holds: that of whoever was first. */
  keep(hash: string, summary: string): Promise<string>;
  /** Removes what nobody has used for some days. */
  sweep(): Promise<void>;
}

const KEEP_DAYS = 7;

/** In the database, for all processes; without it every process sums up for itself. */
export function createSummaryStore(params: Readonly<{ database: Queryable; log: Log }>): SummaryStore {
  const { database, log } = params;
  const first = async (sql: string, values: readonly unknown[]): Promise<string | null> => {
    try {
      const { rows } = await database.query<{ summary: string }>(sql, [...values]);
      return rows[0]?.summary ?? null;
    } catch (error) {
      log.warn({ error: messageOf(error) }, "summaries of trim cannot be read or kept");
      return null;
    }
  };
  return {
    find: (hash) =>
      first("update miyabi.gateway_summaries set used_at = now() where hash = $1 returning summary", [hash]),
    keep: async (hash, summary) =>
      (await first(
        `insert into miyabi.gateway_summaries (hash, summary) values ($1, $2)
         on conflict (hash) do update set used_at = now() returning summary`,
        [hash, storable(summary)],
      )) ?? summary,
    sweep: async () => {
      await database.query(
        "delete from miyabi.gateway_summaries where used_at < now() - $1::int * interval '1 day'",
        [KEEP_DAYS],
      );
    },
  };
}

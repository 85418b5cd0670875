import { readFile } from "node:fs/promises";
import pg from "pg";
import { readPidFile } from "./victims.ts";
import type { TestInstallation } from "../support/installation.ts";

export interface RunRecord {
  readonly id: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly kind: string;
  readonly queue: string;
  readonly state: string;
  readonly slot: string | null;
  readonly sessionId: string | null;
  readonly agentSessionId: string | null;
  readonly errorCode: string | null;
}

/** What the product's database holds, read past the product. Every question is null while the database is away. */
export interface Records {
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<readonly Row[] | null>;
  /** Why the last question had no answer. */
  lastError(): string;
  runs(where: string, params?: readonly unknown[]): Promise<readonly RunRecord[] | null>;
}

export function openRecords(product: TestInstallation): Records {
  let url: string | null = null;
  let lastError = "";
  /** Only the processes that use it know where the database is. */
  const findUrl = async (): Promise<string | null> => {
    const pid = await readPidFile(product);
    const environment = pid === null ? "" : await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    return /(?:^|\0)MIYABI_CONNECTION_URL=([^\0]+)/.exec(environment)?.[1] ?? null;
  };
  const rows: Records["rows"] = async <Row extends object>(sql: string, params: readonly unknown[] = []) => {
    url ??= await findUrl();
    if (url === null) {
      lastError = "no control plane says where the database is";
      return null;
    }
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.query<Row>(sql, [...params])).rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code?.startsWith("42") === true) throw error;
      lastError = String(error);
      return null;
    } finally {
      await client.end().catch(() => {});
    }
  };
  return {
    rows,
    lastError: () => lastError,
    runs: (where, params) =>
      rows<RunRecord>(
        `select r.id, r.task_id as "taskId", r.attempt, r.kind, r.queue, r.state, r.slot, r.session_id as "sessionId",
           s.agent_session_id as "agentSessionId", r.error ->> 'code' as "errorCode"
         from miyabi.runs r left join miyabi.sessions s on s.id = r.session_id where ${where} order by r.number`,
        params,
      ),
  };
}

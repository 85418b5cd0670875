import pg from "pg";
import { messageOf } from "../base/index.ts";
import { isUnavailable } from "./database-errors.ts";

/** What a server said to a first connection. */
export type ProbeAnswer =
  | { readonly state: "ready" }
  /** Starting, stopping, recovering, or nobody listens: ask again. */
  | { readonly state: "unavailable"; readonly reason: string }
  /** It answers, but not to us: wrong password, no such database. Asking again does not help. */
  | { readonly state: "refused"; readonly reason: string };

const CONNECT_TIMEOUT_MS = 5_000;
const TOO_MANY_CONNECTIONS = "53300";

/** Opens one connection and closes it again. Never throws. A server whose connections are all taken counts as ready. */
export async function probeServer(url: string): Promise<ProbeAnswer> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
    application_name: "miyabi-probe",
  });
  // A server that dies between connecting and answering reports here first.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return { state: "ready" };
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === TOO_MANY_CONNECTIONS) return { state: "ready" };
    const reason = messageOf(error);
    return isUnavailable(error) ? { state: "unavailable", reason } : { state: "refused", reason };
  } finally {
    void client.end().catch(() => {});
  }
}

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Records } from "./records.ts";
import { eventually, type TestInstallation } from "../support/installation.ts";

interface StatusFacts {
  readonly agents: readonly {
    readonly slot: string;
    readonly state: string;
    readonly taskId: string | null;
  }[];
  readonly health: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}

const LINES = 25;
const FINAL = "('done', 'failed', 'cancelled')";

/** Like `eventually`, but a wait in vain says how the product is: status, unfinished tasks and why, last log lines. */
export async function expectSoon<T>(
  product: TestInstallation,
  records: Records,
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | null | undefined | false>,
): Promise<T> {
  try {
    return await eventually(what, timeoutMs, probe);
  } catch (error) {
    throw new Error(`${String(error)}\n${await describeProduct(product, records)}`, { cause: error });
  }
}

export async function describeProduct(product: TestInstallation, records: Records): Promise<string> {
  const [status, tasks, processes] = await Promise.all([
    product.get<StatusFacts>("/api/status"),
    records.rows<Record<string, unknown> & { id: string }>(
      `select id, state, current_step, waits_for, wake_at, reason ->> 'message' as reason from miyabi.tasks where state not in ${FINAL} or state = 'failed' order by number`,
    ),
    product.processes(),
  ]);
  const runs = await records.rows<Record<string, unknown>>(
    "select id, task_id, attempt, step, queue, state, slot, lease_expires_at, sandbox, error ->> 'message' as error from miyabi.runs order by number desc limit 25",
  );
  const explained = await Promise.all(
    (tasks ?? []).slice(0, 12).map(async ({ id }) => {
      const found = await product.get<{ summary: string }>(`/api/tasks/${id}/explain`);
      return `${id}: ${found?.summary ?? "no answer"}`;
    }),
  );
  return [
    `home ${product.home} port ${product.port}; last error of the records: ${records.lastError()}`,
    `status ${status === null ? "no answer" : JSON.stringify({ agents: status.agents.map((one) => `${one.slot} ${one.state} ${one.taskId ?? ""}`), health: status.health })}`,
    `tasks not done\n${lines(tasks)}`,
    `explain\n${explained.join("\n")}`,
    `last runs\n${lines(runs)}`,
    `processes\n${processes.map((one) => `${one.pid} ${one.args.slice(0, 160)}`).join("\n")}`,
    ...(await logTails(product.home)),
  ].join("\n");
}

const lines = (rows: readonly unknown[] | null): string =>
  rows === null ? "no answer" : rows.map((row) => JSON.stringify(row)).join("\n");

async function logTails(home: string): Promise<readonly string[]> {
  const logs = (await readdir(path.join(home, "logs")).catch((): string[] => [])).map((name) =>
    path.join(home, "logs", name),
  );
  const slots = (await readdir(path.join(home, "spool")).catch((): string[] => [])).map((slot) =>
    path.join(home, "spool", slot, "host.log"),
  );
  return Promise.all(
    [...logs, ...slots].map(async (file) => {
      const text = await readFile(file, "utf8").catch(() => "");
      const last = text
        .trimEnd()
        .split("\n")
        .slice(-LINES)
        .map((line) => line.slice(0, 400));
      return `--- ${path.relative(home, file)}\n${last.join("\n")}`;
    }),
  );
}

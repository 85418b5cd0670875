import { readdir } from "node:fs/promises";
import { isProcessAlive } from "../../src/base/index.ts";
import { findProcesses, readPidFile, type Kind, type Victim } from "./victims.ts";
import type { Records, RunRecord } from "./records.ts";
import type { TestInstallation } from "../support/installation.ts";

interface AgentFacts {
  readonly slot: string;
  readonly state: string;
  readonly hostPid: number | null;
}

async function agentsOf(product: TestInstallation): Promise<readonly AgentFacts[] | null> {
  return (await product.get<{ items: readonly AgentFacts[] }>("/api/agents"))?.items ?? null;
}

/** The product at the moment before a kill. */
export interface Before {
  readonly controlPlane: number | null;
  readonly agents: readonly AgentFacts[];
  readonly runs: readonly RunRecord[];
  /** Slots whose host lives: after a kill that was not waited for, some may be known that do not. */
  readonly live: ReadonlySet<string>;
}

/** Milliseconds that a recovery may take; null: no promise is made for this kind, it only has to come. */
export const LIMIT_MS: Readonly<Record<Kind, number | null>> = {
  "control-plane": 5_000,
  supervisor: null,
  host: 10_000,
  pane: 10_000,
  panes: 10_000,
  agent: 10_000,
  database: null,
  tree: null,
};

const OPEN = "r.state in ('leased', 'running')";

export async function lookBefore(product: TestInstallation, records: Records): Promise<Before> {
  const [controlPlane, agents, runs, hosts] = await Promise.all([
    readPidFile(product),
    agentsOf(product),
    records.runs(OPEN),
    records.rows<{ slot: string; pid: number; ticks: string | null }>(
      "select slot, host_pid as pid, host_start_ticks as ticks from miyabi.slots where host_pid is not null",
    ),
  ]);
  const live = new Set<string>();
  for (const { slot, pid, ticks } of hosts ?? []) if (await isProcessAlive(pid, ticks)) live.add(slot);
  return { controlPlane, agents: agents ?? [], runs: runs ?? [], live };
}

/** Whether what died works again: the product answers, and whoever carried a run carries one. */
export async function hasRecovered(
  product: TestInstallation,
  records: Records,
  kind: Kind,
  victim: Victim | null,
  before: Before,
): Promise<boolean> {
  if ((await product.get("/healthz")) === null) return false;
  switch (kind) {
    case "control-plane":
      return (await readPidFile(product)) !== before.controlPlane;
    case "supervisor": {
      const supervisors = await findProcesses(product, "supervisor");
      return (
        supervisors.some((one) => one.pid !== victim?.pid) &&
        (await readPidFile(product)) !== before.controlPlane
      );
    }
    case "database": {
      const servers = await findProcesses(product, "database");
      return servers.some((one) => one.pid !== victim?.pid);
    }
    case "host":
    case "pane":
      return (
        (await isConnected(product, before, (slot) => slot === victim?.slot)) &&
        (await goesOn(
          records,
          before.runs.filter((run) => run.slot === victim?.slot),
        ))
      );
    case "panes":
      return (await isConnected(product, before, () => true)) && (await goesOn(records, before.runs));
    case "agent":
      return goesOn(
        records,
        before.runs.filter((run) => run.slot === victim?.slot),
      );
    case "tree":
      return true;
  }
}

/** Another process holds each of the slots. */
async function isConnected(
  product: TestInstallation,
  before: Before,
  concerns: (slot: string) => boolean,
): Promise<boolean> {
  const agents = (await agentsOf(product)) ?? [];
  return before.agents
    .filter(({ slot }) => concerns(slot))
    .every(({ slot, hostPid }) => {
      const now = agents.find((one) => one.slot === slot);
      return now !== undefined && now.state !== "down" && (hostPid === null || now.hostPid !== hostPid);
    });
}

/**
 * The work of each of these runs goes on: the run or a later one of its task runs or has ended, or waits because
 * everybody who could take it works on something else.
 */
async function goesOn(records: Records, runs: readonly RunRecord[]): Promise<boolean> {
  for (const run of runs) {
    const rows = await records.rows<{ ok: boolean }>(
      `select bool_or(
           (r.attempt > $2 and (r.started_at is not null or r.cached))
           or (r.attempt = $2 and r.state in ('succeeded', 'failed') and r.error ->> 'code' is distinct from 'agent.exited')
           or t.state in ('done', 'failed', 'cancelled')
           or (r.attempt > $2 and r.state = 'queued' and not exists (
             select 1 from miyabi.slots s where not exists (
               select 1 from miyabi.runs o where o.slot = s.slot and o.state in ('leased', 'running'))
               and exists (select 1 from miyabi.runs q where q.slot = s.slot and q.queue = r.queue)))) as ok
         from miyabi.runs r join miyabi.tasks t on t.id = r.task_id where r.task_id = $1`,
      [run.taskId, run.attempt],
    );
    if (rows?.[0]?.ok !== true) return false;
  }
  return true;
}

/** What must be as before after this kill, beyond being healthy: one sentence for each thing that is not. */
export async function findDamage(
  product: TestInstallation,
  records: Records,
  kind: Kind,
  before: Before,
): Promise<readonly string[]> {
  const ids = before.runs.map((run) => run.id);
  const now = (await records.runs("r.id = any($1)", [ids])) ?? [];
  const damage: string[] = [];
  if (kind === "control-plane" || kind === "supervisor" || kind === "database") {
    for (const run of before.runs) {
      if (run.state !== "running" || !before.live.has(run.slot ?? "")) continue;
      const after = now.find(({ id }) => id === run.id);
      if (after?.state === "lost") damage.push(`${run.id} was taken from a live host: ${after.errorCode}`);
    }
    const agents = (await agentsOf(product)) ?? [];
    for (const { slot, hostPid } of before.agents.filter((agent) => before.live.has(agent.slot))) {
      const pid = agents.find((one) => one.slot === slot)?.hostPid ?? null;
      if (pid !== null && hostPid !== null && pid !== hostPid) damage.push(`${slot} got another host`);
    }
  }
  return damage;
}

/** Every slot has a connected host. */
export async function areAllConnected(product: TestInstallation): Promise<boolean> {
  return (await agentsOf(product))?.every(({ state }) => state !== "down") ?? false;
}

/** Directories of clones that nobody collected. */
export const leftSessions = (product: TestInstallation): Promise<readonly string[]> =>
  readdir(`${product.home}/sessions`).catch((): string[] => []);

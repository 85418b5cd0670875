import { Gauge, Registry } from "prom-client";
import type { GitHubUsage } from "../sources/index.ts";
import type { AgentDesk } from "./agent-desk.ts";
import type { Domain } from "./domain.ts";

/** Prometheus text, computed when asked: nothing is counted twice and an idle product does nothing for it. */
export function createMetrics({
  domain,
  agents,
  gitHubUsage,
}: {
  readonly domain: Domain;
  readonly agents: AgentDesk;
  /** Null: no repository of GitHub is configured. */
  readonly gitHubUsage: (() => Promise<GitHubUsage>) | null;
}): () => Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name: `miyabi_${name}`, help, labelNames, registers: [registry] });
  const tasks = gauge("tasks", "Tasks by state.", ["state"]);
  const queued = gauge("runs_queued", "Runs that wait for an agent, by queue.", ["queue"]);
  const oldest = gauge("runs_queued_oldest_seconds", "Age of the longest waiting run.");
  const slots = gauge("agents", "Agents by state.", ["state"]);
  const deliveries = gauge(
    "github_deliveries",
    "Webhook deliveries that wait (pending) or were given up (dead).",
    ["state"],
  );
  const left = gauge(
    "github_requests_left",
    "Requests that GitHub still grants until its limit is set back.",
  );
  const writes = gauge("github_writes", "Writes on GitHub in the last minute and hour.", ["window"]);
  const waiting = gauge("outbox_waiting", "Effects on GitHub that are due and not brought about.");
  const memory = gauge("process_resident_memory_bytes", "Resident memory of the control plane.");
  return async () => {
    const [byState, byQueue, byDelivery] = await Promise.all([
      domain.database.query<{ state: string; count: number }>(
        "select state, count(*)::int as count from miyabi.tasks group by state",
      ),
      domain.database.query<{ queue: string; count: number; age: number }>(
        "select queue, count(*)::int as count, extract(epoch from now() - min(queued_at))::float8 as age from miyabi.runs where state = 'queued' group by queue",
      ),
      domain.database.query<{ state: string; count: number }>(
        "select state, count(*)::int as count from miyabi.github_deliveries where state <> 'done' group by state",
      ),
    ]);
    tasks.reset();
    for (const row of byState.rows) tasks.set({ state: row.state }, row.count);
    queued.reset();
    for (const row of byQueue.rows) queued.set({ queue: row.queue }, row.count);
    oldest.set(Math.max(0, ...byQueue.rows.map((row) => row.age)));
    deliveries.reset();
    for (const row of byDelivery.rows) deliveries.set({ state: row.state }, row.count);
    const usage = (await gitHubUsage?.()) ?? null;
    if (usage !== null) {
      left.set(usage.requests?.remaining ?? 0);
      writes.set({ window: "minute" }, usage.writes?.minute ?? 0);
      writes.set({ window: "hour" }, usage.writes?.hour ?? 0);
      waiting.set(usage.waiting);
    }
    slots.reset();
    for (const agent of await agents.list()) slots.inc({ state: agent.state });
    memory.set(process.memoryUsage.rss());
    return registry.metrics();
  };
}

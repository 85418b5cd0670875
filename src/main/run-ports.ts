import type { RunPorts, Verdict } from "../messages/index.ts";
import { appendEvents } from "../tasks/index.ts";
import type { AgentServices } from "./agent-services.ts";
import type { Domain } from "./domain.ts";
import { lockCurrentRun } from "./permission-desk.ts";

interface RunPortsParams {
  readonly domain: Domain;
  readonly hub: AgentServices["hub"];
  readonly verdicts: readonly Verdict[];
}

const OPEN = "state in ('leased', 'running')";

/** What the agents' MCP tools do to runs. */
export function createRunPorts({ domain, hub, verdicts }: Readonly<RunPortsParams>): RunPorts {
  const { database, runs } = domain;
  return {
    identifyRun: runs.identify,
    verdictsFor: (run) =>
      run.role === "review"
        ? verdicts.filter((verdict) => verdict !== "done")
        : verdicts.filter((verdict) => verdict === "done" || verdict === "blocked"),
    recordVerdict: async ({ runId, attempt, verdict, notes }) => {
      const recorded = await runs.recordVerdict({ runId, attempt }, verdict, notes);
      const holder = hub.holderOf(runId);
      if (recorded === "recorded" && holder !== null)
        holder.connection.send({ type: "verdict", runId, attempt, verdict });
      return recorded;
    },
    reportProgress: ({ runId, attempt, text }) =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query<{ task_id: string; slot: string | null }>(
          `select task_id, slot from miyabi.runs where id = $1 and attempt = $2 and ${OPEN}`,
          [runId, attempt],
        );
        const row = rows[0];
        if (row === undefined) return "lost";
        await appendEvents(tx, [
          {
            type: "agent.changed",
            taskId: row.task_id,
            runId,
            slot: row.slot,
            data: { progress: text.slice(0, 500) },
          },
        ]);
        return "recorded";
      }),
    mcpSeen: async ({ runId, attempt }) => {
      await database.query(
        "update miyabi.runs set mcp_seen = true where id = $1 and attempt = $2 and not mcp_seen",
        [runId, attempt],
      );
    },
    isCurrent: async (tx, run) => (await lockCurrentRun(tx, run)) !== null,
    recipients: async () => {
      if (domain.machine === null) return domain.recipients;
      // Agents of other machines read the same mailboxes.
      const { rows } = await database.query<{ slot: string }>("select slot from miyabi.slots");
      return [...new Set([...domain.recipients, ...rows.map(({ slot }) => slot)])];
    },
  };
}

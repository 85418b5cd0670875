import { AppError, type Clock } from "../base/index.ts";
import type { AgentScreen, AgentView, MessageView } from "../contract/index.ts";
import { runOfSlot, saveDraining } from "../agents/index.ts";
import { appendEvents, because, type SlotFact } from "../tasks/index.ts";
import type { AgentServices } from "./agent-services.ts";
import type { Domain } from "./domain.ts";
import { createTerminalDesk, type TerminalDesk } from "./terminal-desk.ts";

interface DeskParams {
  readonly domain: Domain;
  readonly services: AgentServices;
  readonly defaultProfile: string;
  readonly draining: Set<string>;
  readonly clock: Clock;
}

const SILENT_MS = 8_000;

/** What people see of the agents and do with them. */
export interface AgentDesk extends TerminalDesk {
  list(): Promise<readonly AgentView[]>;
  screen(slot: string): Promise<AgentScreen>;
  restart(slot: string): Promise<AgentView>;
  drain(slot: string, drain: boolean): Promise<AgentView>;
  /** The same key gives the first message again; null: every call is a message. */
  tell(
    slot: string,
    text: string,
    by: { readonly from: string; readonly idempotencyKey: string | null },
  ): Promise<MessageView>;
  /** Cancels the task and tells the host that works on it. */
  cancelRunOf(taskId: string, cancel: () => Promise<void>): Promise<void>;
  /** The slots as far as they matter to what waits for them. */
  facts(): Promise<readonly SlotFact[]>;
  wake(): void;
}

interface RunRow {
  readonly slot: string;
  readonly id: string;
  readonly task_id: string;
  readonly title: string;
  readonly step: string;
  readonly leased_at: Date;
  readonly finished_at: Date | null;
}

async function isElsewhere(database: Domain["database"], slot: string): Promise<boolean> {
  const { rowCount } = await database.query(
    "select 1 from miyabi.slots s join miyabi.machines m on m.name = s.machine where s.slot = $1",
    [slot],
  );
  return rowCount > 0;
}

export function createAgentDesk(params: Readonly<DeskParams>): AgentDesk {
  const { domain, services, draining } = params;

  const known = (slot: string) => {
    const found = domain.slots.find((one) => one.slot === slot);
    if (found !== undefined) return found;
    throw new AppError({
      code: "not_found",
      message: `There is no agent "${slot}"; there are ${domain.slots.map((one) => one.slot).join(", ")}.`,
      fix: "miyabi agents",
    });
  };

  const list = async (): Promise<readonly AgentView[]> => {
    const { rows } = await domain.database.query<RunRow>(
      `select r.slot, r.id, r.task_id, t.title, r.step, r.leased_at, r.finished_at from miyabi.runs r join miyabi.tasks t on t.id = r.task_id
       where r.slot is not null and r.leased_at > now() - interval '24 hours' order by r.leased_at`,
    );
    return Promise.all(
      domain.slots.map(async (slot): Promise<AgentView> => {
        const host = services.hub.host(slot.slot);
        const mine = rows.filter((row) => row.slot === slot.slot);
        const open = mine.find((row) => row.finished_at === null);
        const state =
          host === null
            ? "down"
            : host.state === "taken-over"
              ? "taken-over"
              : draining.has(slot.slot)
                ? "draining"
                : open !== undefined || host.run !== null
                  ? "busy"
                  : "idle";
        return {
          slot: slot.slot,
          name: slot.name,
          nameJa: slot.nameJa,
          role: slot.role,
          color: slot.color,
          profile: slot.takes.length === 0 ? "—" : (slot.profile ?? params.defaultProfile),
          state,
          reason:
            host === null
              ? because("agent.down", "Its agent host is not connected; the watchdog starts it again.")
              : null,
          taskId: open?.task_id ?? null,
          taskTitle: open?.title ?? null,
          step: open?.step ?? null,
          runId: open?.id ?? null,
          lastEvent: null,
          hostPid: host?.pid ?? null,
          connectedAt: host?.connectedAt.toISOString() ?? null,
          lastHeartbeatAt: host?.lastHeartbeatAt.toISOString() ?? null,
          runtime: services.runtime.kind,
          attachCommand: await services.runtime.attachCommand(slot.slot),
          history: mine.map((row) => ({
            from: row.leased_at.toISOString(),
            to: row.finished_at?.toISOString() ?? null,
            taskId: row.task_id,
          })),
        };
      }),
    );
  };

  const view = async (slot: string): Promise<AgentView> => {
    const found = (await list()).find((one) => one.slot === slot);
    if (found === undefined)
      throw new AppError({
        code: "not_found",
        message: `There is no agent "${slot}".`,
        fix: "miyabi agents",
      });
    return found;
  };

  const terminals = createTerminalDesk({
    database: domain.database,
    hub: services.hub,
    runtime: services.runtime,
    machine: domain.machine?.name ?? null,
    clock: params.clock,
  });

  return {
    list,
    screen: async (slot) => {
      known(slot);
      const screen = await services.runtime.capture(slot);
      return {
        slot,
        columns: screen?.columns ?? 80,
        rows: screen?.rows ?? 24,
        content: screen?.content ?? "",
      };
    },
    restart: async (slot) => {
      await services.runtime.restart(services.startSlot(known(slot)));
      await domain.database.transaction((tx) =>
        appendEvents(tx, [{ type: "agent.changed", slot, data: { state: "restarted" } }]),
      );
      return view(slot);
    },
    drain: async (slot, drain) => {
      known(slot);
      await saveDraining(domain.database, slot, drain);
      if (drain) draining.add(slot);
      else draining.delete(slot);
      services.dispatcher.wake();
      await domain.database.transaction((tx) =>
        appendEvents(tx, [{ type: "agent.changed", slot, data: { draining: drain } }]),
      );
      return view(slot);
    },
    tell: async (slot, text, { from, idempotencyKey }) => {
      // One mailbox for all machines: what is said to an agent elsewhere gets there too.
      if (!(await isElsewhere(domain.database, slot))) known(slot);
      const run = await runOfSlot(domain.database, slot);
      const message = await domain.mailboxes.send({
        recipient: slot,
        sender: from,
        body: text,
        taskId: run?.taskId ?? null,
        dedupeKey: idempotencyKey === null ? null : `tell:${from}:${slot}:${idempotencyKey}`,
      });
      services.mailman.wake();
      return message;
    },
    takeOver: terminals.takeOver,
    handBack: terminals.handBack,
    cancelRunOf: async (taskId, cancel) => {
      const { rows } = await domain.database.query<{ id: string; attempt: number; slot: string | null }>(
        "select id, attempt, slot from miyabi.runs where task_id = $1 and state in ('leased', 'running')",
        [taskId],
      );
      await cancel();
      for (const run of rows)
        if (run.slot !== null)
          services.hub.send(run.slot, { type: "lost", runId: run.id, attempt: run.attempt });
    },
    facts: async () => {
      const views = await list();
      return domain.slots.map((slot) => {
        const view = views.find((one) => one.slot === slot.slot);
        const host = services.hub.host(slot.slot);
        const silent = host !== null && params.clock.monotonicMs() - host.lastSeenMs > SILENT_MS;
        return {
          slot: slot.slot,
          name: slot.name,
          takes: slot.takes,
          state: view?.state ?? "down",
          host: host === null ? "gone" : silent ? "silent" : "connected",
          taskId: view?.taskId ?? null,
          reason: view?.reason ?? null,
        };
      });
    },
    wake: () => services.dispatcher.wake(),
  };
}

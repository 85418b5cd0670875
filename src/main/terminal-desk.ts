import type { HostHub, SlotRuntime } from "../agents/index.ts";
import { AppError, type Clock } from "../base/index.ts";
import type { Database } from "../store/index.ts";

interface TerminalDeskParams {
  readonly database: Database;
  readonly hub: Pick<HostHub, "host" | "send">;
  readonly runtime: Pick<SlotRuntime, "kind" | "attachCommand">;
  /** Name of this machine; null where it is the only one. */
  readonly machine: string | null;
  readonly clock: Clock;
}

/** People in the terminals of agents. */
export interface TerminalDesk {
  /**
   * Resolves when the agent's turn has ended and its terminal is a person's; again, where it is already.
   * @throws not_found; conflict.state where no agent works on the task; tool.missing without panes; process.timeout where
   * the host has not got so far: it takes over as soon as it can.
   */
  takeOver(taskId: string): Promise<{ readonly slot: string; readonly attachCommand: string | null }>;
  /**
   * Resolves when the person's work is recorded and the agent goes on, or its run has ended.
   * @throws not_found; conflict.state where nobody took the task over; process.timeout as above.
   */
  handBack(taskId: string): Promise<void>;
}

/** An agent that does not end its turn is killed after 3 s; one with a large session takes some to open it again. */
const CONFIRM_MS = 20_000;
const POLL_MS = 50;

interface Holder {
  readonly state: string;
  readonly taken_over: boolean;
  readonly run_id: string | null;
  readonly attempt: number | null;
  readonly slot: string | null;
}

export function createTerminalDesk(params: Readonly<TerminalDeskParams>): TerminalDesk {
  const { database, hub, runtime, clock } = params;

  const find = async (taskId: string): Promise<Holder> => {
    const { rows } = await database.query<Holder>(
      `select t.state, t.taken_over, r.id as run_id, r.attempt, r.slot from miyabi.tasks t
         left join miyabi.runs r on r.task_id = t.id and r.kind = 'agent' and r.state in ('leased', 'running')
       where t.id = $1`,
      [taskId],
    );
    if (rows[0] !== undefined) return rows[0];
    throw new AppError({
      code: "not_found",
      message: `There is no task ${taskId}.`,
      fix: "miyabi task list",
    });
  };

  /** A terminal is on the machine of its agent, and only that machine's control plane reaches it. */
  const requireHere = async (slot: string | null): Promise<void> => {
    const { rows } = await database.query<{ name: string; computer: string; directory: string }>(
      `select m.name, m.computer, m.directory from miyabi.slots s join miyabi.machines m on m.name = s.machine
       where s.slot = $1 and m.name <> $2`,
      [slot, params.machine],
    );
    const there = rows[0];
    if (there === undefined) return;
    throw new AppError({
      code: "conflict.state",
      message: `${slot ?? "Its agent"} works on the machine ${there.name} (${there.computer}, ${there.directory}): do it there.`,
      fix: "miyabi agents",
    });
  };

  const confirm = async (taskId: string, isSo: (now: Holder) => boolean, late: string): Promise<void> => {
    const endMs = clock.monotonicMs() + CONFIRM_MS;
    while (!isSo(await find(taskId))) {
      if (clock.monotonicMs() > endMs)
        throw new AppError({ code: "process.timeout", message: late, fix: `miyabi task show ${taskId}` });
      await clock.sleep(POLL_MS);
    }
  };

  return {
    takeOver: async (taskId) => {
      const { state, taken_over: isTaken, run_id: runId, attempt, slot } = await find(taskId);
      await requireHere(slot);
      if (runId === null || attempt === null || slot === null || hub.host(slot) === null)
        throw new AppError({
          code: "conflict.state",
          message: ["done", "failed", "cancelled"].includes(state)
            ? `${taskId} is ${state}: no agent works on it any more.`
            : `No agent works on ${taskId} at this moment.`,
          fix: `miyabi task explain ${taskId}`,
        });
      if (runtime.kind !== "tmux")
        throw new AppError({
          code: "tool.missing",
          message: "Without tmux there is no pane to take over.",
          fix: "Install tmux and restart: apt-get install tmux",
        });
      if (!isTaken) {
        hub.send(slot, { type: "takeover", runId, attempt });
        await confirm(
          taskId,
          (now) => {
            if (now.run_id === runId) return now.taken_over;
            throw new AppError({
              code: "conflict.state",
              message: `The agent ended its run of ${taskId} before it could be taken over.`,
              fix: `miyabi task explain ${taskId}`,
            });
          },
          `${slot} has not let go of ${taskId} yet; its terminal is yours as soon as it has.`,
        );
      }
      return { slot, attachCommand: await runtime.attachCommand(slot) };
    },
    handBack: async (taskId) => {
      const { taken_over: isTaken, run_id: runId, attempt, slot } = await find(taskId);
      if (!isTaken || runId === null || attempt === null || slot === null)
        throw new AppError({
          code: "conflict.state",
          message: `Nobody has taken ${taskId} over, so there is nothing to hand back.`,
          fix: `miyabi task explain ${taskId}`,
        });
      await requireHere(slot);
      if (!hub.send(slot, { type: "handback", runId, attempt }))
        throw new AppError({
          code: "agent.unavailable",
          message: `The agent host of ${slot} is not connected at this moment.`,
          fix: `miyabi handback ${taskId}`,
        });
      await confirm(
        taskId,
        (now) => !now.taken_over || now.run_id !== runId,
        `${slot} has not taken ${taskId} back yet; it goes on as soon as its agent is open again.`,
      );
    },
  };
}

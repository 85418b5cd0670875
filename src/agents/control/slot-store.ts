import type { Queryable } from "../../store/index.ts";

/** The process that holds a slot, as it said in `hello`; survives restarts of the control plane. */
export interface SlotRecord {
  readonly slot: string;
  readonly hostPid: number | null;
  readonly startTicks: string | null;
  readonly machine: string | null;
  readonly draining: boolean;
}

export async function loadSlots(db: Queryable): Promise<ReadonlyMap<string, SlotRecord>> {
  const { rows } = await db.query<{
    slot: string;
    host_pid: number | null;
    host_start_ticks: string | null;
    machine: string | null;
    draining: boolean;
  }>("select slot, host_pid, host_start_ticks, machine, draining from miyabi.slots");
  return new Map(
    rows.map((row) => [
      row.slot,
      {
        slot: row.slot,
        hostPid: row.host_pid,
        startTicks: row.host_start_ticks,
        machine: row.machine,
        draining: row.draining,
      },
    ]),
  );
}

export async function saveHost(
  db: Queryable,
  host: {
    readonly slot: string;
    readonly pid: number;
    readonly startTicks: string;
    readonly machine: string;
  },
): Promise<void> {
  await db.query(
    `insert into miyabi.slots (slot, host_pid, host_start_ticks, machine, connected_at) values ($1, $2, $3, $4, now())
     on conflict (slot) do update set host_pid = $2, host_start_ticks = $3, machine = $4, connected_at = now()`,
    [host.slot, host.pid, host.startTicks, host.machine],
  );
}

export async function saveDraining(db: Queryable, slot: string, draining: boolean): Promise<void> {
  await db.query(
    "insert into miyabi.slots (slot, draining) values ($1, $2) on conflict (slot) do update set draining = $2",
    [slot, draining],
  );
}

/** The open run that a slot holds, or null. */
export async function runOfSlot(
  db: Queryable,
  slot: string,
): Promise<{ readonly runId: string; readonly attempt: number; readonly taskId: string } | null> {
  const { rows } = await db.query<{ id: string; attempt: number; task_id: string }>(
    "select id, attempt, task_id from miyabi.runs where slot = $1 and state in ('leased', 'running') order by leased_at desc limit 1",
    [slot],
  );
  const row = rows[0];
  return row === undefined ? null : { runId: row.id, attempt: row.attempt, taskId: row.task_id };
}

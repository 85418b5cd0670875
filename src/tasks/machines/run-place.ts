import { notify, type Tx } from "../../store/index.ts";
import { IS_ALIVE } from "./machines.ts";

/** LISTEN channel that is signalled, with the machine's name, when a run was left to a machine. */
export const RESERVED_CHANNEL = "miyabi_reserved";

/**
 * Machine that a queued run is to be left to: that of its local repository, or the one where the task was worked on last, as long as
 * that lives. Null: it may be carried out here.
 */
export async function placeOf(tx: Tx, runId: string, here: string): Promise<string | null> {
  const { rows } = await tx.query<{ remote: unknown; machine: string | null; last: string | null }>(
    `select p.remote, p.machine, (select m.name from miyabi.runs e join miyabi.slots s on s.slot = e.slot
         join miyabi.machines m on m.name = s.machine and ${IS_ALIVE}
       where e.task_id = r.task_id and e.attempt < r.attempt order by e.attempt desc limit 1) as last
     from miyabi.runs r join miyabi.tasks t on t.id = r.task_id join miyabi.repositories p on p.id = t.repository_id where r.id = $1`,
    [runId],
  );
  const row = rows[0];
  const place = row === undefined ? null : row.remote === null ? row.machine : row.last;
  return place === here ? null : place;
}

/** Leaves a run, whose job was taken, to a machine. */
export async function reserveFor(tx: Tx, runId: string, machine: string): Promise<void> {
  await tx.query("update miyabi.runs set reserved_for = $2 where id = $1 and state = 'queued'", [
    runId,
    machine,
  ]);
  await notify(tx, RESERVED_CHANNEL, machine);
}

/** The most urgent run of a queue that was left to this machine, or to one that is gone and need not be waited for. */
export async function takeReserved(tx: Tx, queue: string, here: string): Promise<string | null> {
  const { rows } = await tx.query<{ id: string }>(
    `select r.id from miyabi.runs r join miyabi.tasks t on t.id = r.task_id join miyabi.repositories p on p.id = t.repository_id
     where r.state = 'queued' and r.queue = $1 and r.reserved_for is not null
       and (r.reserved_for = $2 or (p.remote is not null
         and not exists (select 1 from miyabi.machines m where m.name = r.reserved_for and ${IS_ALIVE})))
     order by t.deadline_at, r.number limit 1 for update of r skip locked`,
    [queue, here],
  );
  return rows[0]?.id ?? null;
}

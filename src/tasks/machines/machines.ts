import { createLoop, type Clock, type Log, type Loop, type Random } from "../../base/index.ts";
import type { Database, Queryable } from "../../store/index.ts";

/** One data directory with its control plane, as the others on the same database know it. */
export interface Machine {
  readonly name: string;
  /** Stands behind the names of its agents; empty for the first machine. */
  readonly suffix: string;
}

export interface JoinParams {
  readonly database: Database;
  /** Secret of the data directory: the machine is the same as long as this is. */
  readonly identity: string;
  /** Host name; the machine's name is made from it. */
  readonly computer: string;
  readonly directory: string;
}

// One of two that join at once waits for the other.
const JOIN_LOCK = 35_001;
const LONGEST_NAME = 20;

/** Notes that the data directory works on this database. Repeatable: it gets the same name again. */
export async function joinMachines(params: Readonly<JoinParams>): Promise<Machine> {
  const { identity, computer, directory } = params;
  return params.database.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock($1)", [JOIN_LOCK]);
    const known = await tx.query<Machine>(
      `update miyabi.machines set seen_at = now(), computer = $2, directory = $3 where identity = $1 returning name, suffix`,
      [identity, computer, directory],
    );
    const machine = known.rows[0] ?? (await addMachine(tx, params));
    // What was there before there were several belongs to the first.
    if (machine.suffix === "")
      await tx.query("update miyabi.repositories set machine = $1 where machine is null and remote is null", [
        machine.name,
      ]);
    return machine;
  });
}

async function addMachine(db: Queryable, params: Readonly<JoinParams>): Promise<Machine> {
  const { rows } = await db.query<{ name: string }>("select name from miyabi.machines");
  const taken = new Set(rows.map(({ name }) => name));
  const base = nameFor(params.computer);
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  const suffix = taken.size === 0 ? "" : name;
  await db.query(
    "insert into miyabi.machines (name, identity, computer, directory, suffix) values ($1, $2, $3, $4, $5)",
    [name, params.identity, params.computer, params.directory, suffix],
  );
  return { name, suffix };
}

/** Pure. */
function nameFor(computer: string): string {
  const plain = (computer.split(".")[0] ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return plain.replaceAll(/^-+|-+$/g, "").slice(0, LONGEST_NAME) || "machine";
}

// Well below a lease: when a run of a dead machine runs out, everybody knows that the machine is gone.
const BEAT_MS = 3_000;

/** Says every few seconds that this machine's control plane lives. */
export function createHeartbeat(
  params: Readonly<{ database: Database; machine: Machine; clock: Clock; random: Random; log: Log }>,
): Loop {
  return createLoop({
    name: "machine",
    intervalMs: BEAT_MS,
    maxBackoffMs: BEAT_MS,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async () => {
      await params.database.query("update miyabi.machines set seen_at = now() where name = $1", [
        params.machine.name,
      ]);
    },
  });
}

/** Condition that a machine's row `m` is of one that lives. */
export const IS_ALIVE = "m.seen_at > now() - interval '10 seconds'";

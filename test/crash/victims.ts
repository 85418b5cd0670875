import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { pick } from "./random.ts";
import { eventually, type TestInstallation, type TestProcess } from "../support/installation.ts";

const run = promisify(execFile);

/** What dies. `pane` is closed by tmux with its host in it, `panes` are all of them with their tmux server. */
export const KINDS = [
  "control-plane",
  "supervisor",
  "host",
  "agent",
  "database",
  "pane",
  "panes",
  "tree",
] as const;
export type Kind = (typeof KINDS)[number];

/** A process that was killed, and the slot and run it belonged to. */
export interface Victim {
  readonly pid: number;
  readonly slot: string | null;
}

const slotOf = (args: string): string | null =>
  /dist\/agent-host\.js .*--slot=([a-z0-9-]+)/.exec(args)?.[1] ?? null;
const isHost = ({ args }: TestProcess): boolean => slotOf(args) !== null;

const IS: Readonly<Record<Exclude<Kind, "tree" | "agent">, (one: TestProcess) => boolean>> = {
  "control-plane": ({ args }) => args.includes("dist/control-plane.js"),
  supervisor: ({ args }) => args.includes("dist/miyabi.js up"),
  host: isHost,
  pane: isHost,
  panes: ({ args }) => /^tmux\S* .*tmux\.sock/.test(args),
  database: ({ args }) => /\/postgres -D/.test(args),
};

/** Processes of a kind that live now. */
export async function findProcesses(
  product: TestInstallation,
  kind: Exclude<Kind, "tree">,
): Promise<readonly (TestProcess & Victim)[]> {
  const all = await product.processes();
  if (kind !== "agent") return all.filter(IS[kind]).map((one) => ({ ...one, slot: slotOf(one.args) }));
  // The sandbox's outer process, its init and the agent itself: whichever dies, the agent is dead.
  return all.filter(isHost).flatMap((host) =>
    descendants(all, host.pid)
      .filter(({ args }) => args.includes("sample-agent"))
      .map((one) => ({ ...one, slot: slotOf(host.args) })),
  );
}

function descendants(all: readonly TestProcess[], pid: number): readonly TestProcess[] {
  return all
    .filter((one) => one.parentPid === pid)
    .flatMap((child) => [child, ...descendants(all, child.pid)]);
}

/** Pid of the control plane that says it is up, or null. */
export async function readPidFile(product: TestInstallation): Promise<number | null> {
  const text = await readFile(path.join(product.home, "run", "control-plane.json"), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as { pid: number }).pid;
}

/** One of a kind, at the first moment at which there is one; null for the tree. */
export async function chooseVictim(
  product: TestInstallation,
  kind: Kind,
  next: () => number,
): Promise<Victim | null> {
  if (kind === "tree") return null;
  const victims = await eventually(`there is a ${kind}`, 60_000, async () => {
    const found = await findProcesses(product, kind);
    return found.length > 0 ? found : null;
  });
  return pick(victims, next) ?? null;
}

/** SIGKILL to the victim, or to everything. False where it had ended by itself. */
export async function kill(product: TestInstallation, kind: Kind, victim: Victim | null): Promise<boolean> {
  if (kind === "pane" && victim !== null) return closePane(product, victim.pid);
  if (victim !== null) return signal(victim.pid, "SIGKILL");
  for (const one of await product.processes()) signal(one.pid, "SIGKILL");
  return true;
}

async function closePane(product: TestInstallation, pid: number): Promise<boolean> {
  const tmux = (...args: readonly string[]): Promise<{ stdout: string }> =>
    run("tmux", ["-S", path.join(product.home, "run", "tmux.sock"), ...args]);
  const { stdout } = await tmux("list-panes", "-a", "-F", "#{pane_pid} #{pane_id}");
  const pane = stdout
    .split("\n")
    .map((line) => line.split(" "))
    .find(([found]) => Number(found) === pid)?.[1];
  if (pane === undefined) return false;
  await tmux("kill-pane", "-t", pane);
  return true;
}

export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

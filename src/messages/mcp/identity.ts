import type { Fenced, RunIdentity } from "../../tasks/index.ts";
import type { Tx } from "../../store/index.ts";

/** What an agent may conclude about its step. `changes` is a reviewer's "not yet"; `blocked` needs a person. */
export const VERDICTS = ["done", "approve", "changes", "blocked"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface RunFence {
  readonly runId: string;
  readonly attempt: number;
}

/** What the tools need of the tasks domain; `main` wires it. */
export interface RunPorts {
  /** The run that a token stands for; null where it is unknown or the attempt is over. */
  readonly identifyRun: (token: string) => Promise<RunIdentity | null>;
  /** Verdicts that a run's step knows; `VERDICTS` where it does not matter. */
  readonly verdictsFor: (run: RunIdentity) => readonly Verdict[];
  /** Keeps the verdict until the run's host reports the end. A later one replaces it. */
  readonly recordVerdict: (
    params: RunFence & { readonly verdict: Verdict; readonly notes: string },
  ) => Promise<Fenced>;
  readonly reportProgress: (params: RunFence & { readonly text: string }) => Promise<Fenced>;
  /** The agent's MCP client has connected. Called at least once per run and process; idempotent. */
  readonly mcpSeen: (params: RunFence) => Promise<void>;
  /** Whether the attempt still holds its run, read in the transaction of a write. A plain read suffices. */
  readonly isCurrent: (tx: Tx, fence: RunFence) => Promise<boolean>;
  /** Names that a message may be sent to: slots, roles and `person`. */
  readonly recipients: () => Promise<readonly string[]>;
}

/** Mailboxes of a run: its slot's and its role's. */
export function mailboxesOf(run: RunIdentity): string[] {
  return [...new Set([run.slot, run.role])].filter((name) => name !== null);
}

/** Who holds a lease on a message that this run reads; the host that pushes messages uses the slot too. */
export function sessionOf(run: RunIdentity): string {
  return run.slot ?? run.runId;
}

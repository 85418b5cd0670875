import type { Explanation } from "../../contract/index.ts";

/** What a command needs of the team and of what knows about it. */
export interface CommandPorts {
  /** @throws not_found */
  readonly explain: (taskId: string) => Promise<Explanation>;
  /** Puts a message into an agent's mailbox; the same key again is the same message. */
  readonly tell: (
    slot: string,
    text: string,
    by: { readonly from: string; readonly idempotencyKey: string },
  ) => Promise<unknown>;
  /** Does what ends a task's run, and has the host that works on it told. */
  readonly endingRunOf: (taskId: string, work: () => Promise<void>) => Promise<void>;
}

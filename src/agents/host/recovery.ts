import type { Clock, Log } from "../../base/index.ts";
import { killNamespace, killSandboxesOf, killTree } from "../sandbox/index.ts";
import type { RunSpool } from "./spool.ts";

/**
 * Ends whatever an earlier host of this slot left alive of its run, confirmed: only then may anybody touch the clone.
 * @throws process.timeout where something does not die.
 */
export async function endLeftovers(spool: RunSpool, clock: Clock, log: Log): Promise<void> {
  const id = spool.spec.sandboxId;
  const identities = spool.state.sandboxes.slice(-4);
  if (spool.spec.sandbox === "none") {
    for (const identity of identities) await killTree({ identity, id, clock });
    return;
  }
  for (const identity of identities) await killNamespace({ identity, clock });
  const found = await killSandboxesOf({ id, clock });
  log.info({ run: spool.spec.runId, found }, "an earlier host's sandboxes are dead");
}

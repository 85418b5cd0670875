import type { Clock } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import { sandboxIdentity, sandboxIdOf } from "../protocol.ts";
import { killNamespace, killSandboxesOf } from "../sandbox/index.ts";

/**
 * Ends whatever may still write for a run on this machine, and resolves when it is dead: only then may the run be given
 * to somebody else. Repeatable; nothing to end is no error.
 * @throws process.timeout where death could not be confirmed.
 */
export async function endSandbox(
  params: { readonly database: Queryable; readonly instance: string; readonly clock: Clock },
  run: { readonly runId: string; readonly attempt: number },
): Promise<void> {
  const { database, instance, clock } = params;
  const { rows } = await database.query<{ sandbox: unknown }>(
    "select sandbox from miyabi.runs where id = $1",
    [run.runId],
  );
  const identity = sandboxIdentity.safeParse(rows[0]?.sandbox);
  if (identity.success) await killNamespace({ identity: identity.data, clock });
  await killSandboxesOf({ id: sandboxIdOf({ instance, ...run }), clock });
}

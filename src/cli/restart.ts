import { AppError, systemClock } from "../base/index.ts";
import type { AgentView } from "../contract/index.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./context.ts";

const BACK_DEADLINE_MS = 60_000;
const POLL_MS = 200;

/** Restarts one agent or all of them; with `rolling` one after the other, each when the one before is connected again. */
export async function restartAgents(
  { client, output }: CommandContext,
  slot: string | undefined,
  flags: { readonly rolling?: true },
): Promise<void> {
  const api = await client();
  const { items } = await api.call("listAgents");
  const chosen = slot === undefined ? items : items.filter((one) => one.slot === slot);
  if (slot !== undefined && chosen.length === 0)
    throw new AppError({
      code: "not_found",
      message: `There is no agent "${slot}". The team: ${items.map((one) => one.slot).join(", ")}.`,
      fix: "miyabi agents",
    });
  const restarted: AgentView[] = [];
  for (const agent of chosen) {
    const asked = await api.call("restartAgent", { params: { slot: agent.slot } });
    output.note(`${agent.slot} restarts`);
    restarted.push(flags.rolling === true ? await waitUntilBack(api, agent) : asked);
    if (flags.rolling === true) output.note(`${agent.slot} is back`);
  }
  output.result({ items: restarted }, `${restarted.map((one) => one.slot).join(", ")}: restarted.`);
}

async function waitUntilBack(api: Client, before: AgentView): Promise<AgentView> {
  const deadline = systemClock.monotonicMs() + BACK_DEADLINE_MS;
  for (;;) {
    const agent = (await api.call("listAgents")).items.find((one) => one.slot === before.slot);
    const isBack =
      agent !== undefined &&
      agent.hostPid !== null &&
      agent.hostPid !== before.hostPid &&
      agent.connectedAt !== null &&
      agent.state !== "starting" &&
      agent.state !== "down";
    if (isBack) return agent;
    if (systemClock.monotonicMs() > deadline)
      throw new AppError({
        code: "agent.unavailable",
        message: `${before.slot} did not come back within ${BACK_DEADLINE_MS / 1000} s; the others were left alone.`,
        fix: `miyabi logs --agent ${before.slot}`,
      });
    await systemClock.sleep(POLL_MS);
  }
}

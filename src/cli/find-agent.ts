import { AppError } from "../base/index.ts";
import type { AgentView } from "../contract/index.ts";
import type { Client } from "./client.ts";

/** @throws not_found naming the agents there are. */
export async function findAgent(api: Client, slot: string): Promise<AgentView> {
  const { items } = await api.call("listAgents");
  const agent = items.find((one) => one.slot === slot);
  if (agent !== undefined) return agent;
  throw new AppError({
    code: "not_found",
    message: `There is no agent "${slot}". The team: ${items.map((one) => one.slot).join(", ")}.`,
    fix: "miyabi agents",
  });
}

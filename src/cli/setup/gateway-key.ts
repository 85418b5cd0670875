import os from "node:os";
import type { Clock } from "../../base/index.ts";
import type { GatewayKeyView } from "../../contract/index.ts";
import type { Client } from "../client.ts";
import { listModels, type Offer } from "./verify.ts";
import type { Endpoint, Place, ToolName } from "./tools/index.ts";

export interface ToolKey {
  readonly id: string;
  readonly name: string;
  /** Shown to nobody. */
  readonly key: string;
  /** Made now; false: it stood in the tool's files already. */
  readonly isMade: boolean;
  readonly offer: Offer;
}

interface KeyParams {
  readonly api: Client;
  readonly tool: ToolName;
  readonly place: Place;
  readonly endpoint: Endpoint;
  /** Key that stands in the tool's files; null: none. */
  readonly inPlace: string | null;
  readonly clock: Clock;
}

/**
 * The key that stands in the tool's files while the gateway takes it, else a new one.
 * A crash before it is written leaves a valid key that nobody knows: harmless, and listed by its name.
 */
export async function keyForTool(params: Readonly<KeyParams>): Promise<ToolKey> {
  const { api, inPlace, endpoint } = params;
  if (inPlace !== null) {
    const view = await validKey(params, inPlace);
    const offer =
      view === null ? null : await listModels({ gateway: gatewayOf(api), key: inPlace, endpoint });
    if (view !== null && offer !== null && offer.state !== "refused")
      return { id: view.id, name: view.name, key: inPlace, isMade: false, offer };
  }
  const made = await api.call("createGatewayKey", {
    body: { name: nameOfKey(params.tool, params.place), kind: "tool" },
  });
  const offer = await listModels({ gateway: gatewayOf(api), key: made.key, endpoint });
  return { id: made.id, name: made.name, key: made.key, isMade: true, offer };
}

/** The key of the list that begins like this one and still holds; null: none. */
export async function validKey(
  { api, clock }: Pick<KeyParams, "api" | "clock">,
  key: string,
): Promise<GatewayKeyView | null> {
  const { items } = await api.call("listGatewayKeys");
  const now = clock.now().toISOString();
  const holds = (one: GatewayKeyView): boolean =>
    one.revokedAt === null && (one.expiresAt === null || Date.parse(one.expiresAt) > Date.parse(now));
  return items.find((one) => key.startsWith(one.start) && holds(one)) ?? null;
}

export const gatewayOf = (api: Client): string => api.url.replace(/\/+$/, "");

function nameOfKey(tool: ToolName, { env }: Place): string {
  const person = env["USER"] ?? env["LOGNAME"] ?? userName();
  return `${tool} of ${person} on ${os.hostname()}`.slice(0, 200);
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    // In a container the user may have no name.
    return "someone";
  }
}

import type { OpenAgent } from "../driver.ts";
import { openAcpAgent } from "./acp/open.ts";
import { openCommandAgent } from "./command/open.ts";

export { createTail } from "./tail.ts";
export { fillCommand, fillPlaceholders, KEY_STAND_IN, type PlaceholderValues } from "./placeholders.ts";

/** Opens a session with the driver that the profile names. */
export const openAgent: OpenAgent = (params) =>
  params.profile.driver === "acp" ? openAcpAgent(params) : openCommandAgent(params);

import type { OpenAgent } from "../driver.ts";
import { openAcpAgent } from "./acp/open.ts";

/** Opens a session with the driver that the profile names. */
export const openAgent: OpenAgent = (params) => openAcpAgent(params);

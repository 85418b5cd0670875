export { sandboxEnvironment } from "./environment.ts";
export {
  findForwarderPort,
  forwarderCommand,
  FORWARDER_PORT,
  forwarderMcpUrl,
  forwarderUrl,
} from "./forwarder.ts";
export type { Denial } from "./gate.ts";
export type { EgressNetwork } from "./network.ts";
export { createRunSocket, type RunSocket } from "./run-socket.ts";
export { parseAllowList, type AllowList } from "./allow-list.ts";

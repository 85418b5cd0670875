export { createApiServer, listen, type ApiServerParams } from "./server.ts";
export { createHostsPlugin } from "./hosts-plugin.ts";
export type { Handlers } from "./register.ts";

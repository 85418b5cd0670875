export { createHostsPlugin } from "./hosts-plugin.ts";
export { listen } from "./listen.ts";
export type { HandlerInput, Handlers } from "./register.ts";
export { problemOf } from "./problem.ts";
export { createSecondListener } from "./second-listener.ts";
export { createApiServer, type ApiServerParams } from "./server.ts";

export { CALL_OUTCOMES, type CallOutcome } from "./relay/answer.ts";
export { createGateway, type Gateway, type GatewayParams } from "./gateway.ts";
export { gatewaySettings, type GatewaySettings } from "./settings.ts";
export { REQUEST_LOGGER } from "./call-log.ts";
export type { CostSum } from "./ledger-store.ts";
export type { ReadSecret } from "./providers/provider.ts";
export { createCostQueries, type CostQueries } from "./cost-queries.ts";

export { CALL_OUTCOMES, type CallOutcome } from "./relay.ts";
export { createGateway, type Gateway, type GatewayCaller, type GatewayParams } from "./gateway.ts";
export { gatewaySettings, type GatewaySettings } from "./settings.ts";
export { REQUEST_LOGGER } from "./call-log.ts";
export type { CostSum } from "./ledger-store.ts";
export type { ReadSecret } from "./provider.ts";
export { createCostQueries, type CostQueries } from "./cost-queries.ts";

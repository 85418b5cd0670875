/** Pages about the gateway, in the order of their tabs. */
export const GATEWAY_PAGES = [
  { id: "calls", to: "/gateway/calls" },
  { id: "keys", to: "/gateway/keys" },
  { id: "budgets", to: "/gateway/budgets" },
  { id: "providers", to: "/gateway/providers" },
  { id: "prices", to: "/gateway/prices" },
] as const;

export type GatewayPageId = (typeof GATEWAY_PAGES)[number]["id"];

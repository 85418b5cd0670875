import type { ROUTES, RouteName } from "../../../src/contract/index.ts";

type Routes = typeof ROUTES;
export type Endpoint<K extends RouteName> = `${Routes[K]["method"]} ${Routes[K]["path"]}`;

/**
 * Method and path of each route. The compiler holds every entry to the contract's literal, so the contract's own
 * table, and zod with it, need not be sent to the browser.
 */
export const ENDPOINTS: { readonly [K in RouteName]: Endpoint<K> } = {
  status: "GET /api/status",
  health: "GET /api/health",
  listTasks: "GET /api/tasks",
  createTask: "POST /api/tasks",
  getTask: "GET /api/tasks/:id",
  explainTask: "GET /api/tasks/:id/explain",
  cancelTask: "POST /api/tasks/:id/cancel",
  retryTask: "POST /api/tasks/:id/retry",
  approveTask: "POST /api/tasks/:id/approve",
  takeOverTask: "POST /api/tasks/:id/takeover",
  handBackTask: "POST /api/tasks/:id/handback",
  setTaskClass: "POST /api/tasks/:id/class",
  setTaskDependencies: "POST /api/tasks/:id/dependencies",
  taskDiff: "GET /api/tasks/:id/diff",
  taskEvents: "GET /api/tasks/:id/events",
  taskMessages: "GET /api/tasks/:id/messages",
  getRun: "GET /api/runs/:id",
  transcript: "GET /api/runs/:id/transcript",
  listLogs: "GET /api/logs",
  listQuestions: "GET /api/questions",
  answerQuestion: "POST /api/questions/:id/answer",
  listAgents: "GET /api/agents",
  restartAgent: "POST /api/agents/:slot/restart",
  drainAgent: "POST /api/agents/:slot/drain",
  tellAgent: "POST /api/agents/:slot/message",
  agentScreen: "GET /api/agents/:slot/screen",
  listMessages: "GET /api/messages",
  listRepositories: "GET /api/repositories",
  addRepository: "POST /api/repositories",
  whoAmI: "GET /api/whoami",
  startDemo: "POST /api/demo",
  shutDown: "POST /api/shutdown",
  createLoginLink: "POST /api/login-links",
  listProviders: "GET /api/gateway/providers",
  setProviderKey: "POST /api/gateway/providers/:provider/key",
  removeProviderKey: "POST /api/gateway/providers/:provider/key/remove",
  listGatewayKeys: "GET /api/gateway/keys",
  createGatewayKey: "POST /api/gateway/keys",
  revokeGatewayKey: "POST /api/gateway/keys/:id/revoke",
  cacheStats: "GET /api/gateway/cache",
  invalidateCache: "POST /api/gateway/cache/invalidate",
  listModelCalls: "GET /api/gateway/calls",
};

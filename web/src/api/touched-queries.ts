import type { EventView } from "../../../src/contract/index.ts";

/** First parts of the keys of queries; see `queries.ts`. */
export type QueryScope =
  | "status"
  | "health"
  | "tasks"
  | "task"
  | "task-diff"
  | "task-explain"
  | "task-events"
  | "task-messages"
  | "questions"
  | "agents"
  | "messages"
  | "dead-letters"
  | "repositories"
  | "calls"
  | "chain"
  | "call-summary"
  | "gateway-keys"
  | "gateway-key-use"
  | "gateway-budgets"
  | "gateway-providers"
  | "gateway-health"
  | "gateway-prices";

/**
 * Keys of the queries that news of the gateway may have changed. Sums over more than a day take long where there are
 * millions of calls: these are asked again at their own pace.
 */
export const GATEWAY_QUERIES: readonly (readonly [QueryScope, string?])[] = [
  ["calls"],
  ["chain"],
  ["call-summary", "24h"],
  ["gateway-keys"],
  ["gateway-key-use"],
  ["gateway-budgets"],
  ["gateway-providers"],
  ["gateway-health"],
];

/** Keys (prefixes) of the queries whose answer the event may have changed. */
export function touchedQueries(event: Pick<EventView, "type" | "taskId">): readonly (readonly string[])[] {
  const keys: [QueryScope, string?][] = [["status"]];
  const [domain] = event.type.split(".");
  if (event.taskId !== null) {
    keys.push(["task", event.taskId], ["task-events", event.taskId], ["task-explain", event.taskId]);
  }
  switch (domain) {
    case "task":
    case "step":
    case "run":
      keys.push(["tasks"]);
      if (event.taskId !== null && (event.type === "run.finished" || event.type === "task.merged")) {
        keys.push(["task-diff", event.taskId]);
      }
      if (domain === "run") keys.push(["agents"]);
      if (domain === "task") keys.push(["repositories"]);
      break;
    case "question":
      keys.push(["questions"], ["tasks"]);
      break;
    case "message":
      keys.push(["messages"]);
      if (event.taskId !== null) keys.push(["task-messages", event.taskId]);
      break;
    case "dead_letter":
      keys.push(["dead-letters"], ["health"]);
      break;
    case "agent":
      keys.push(["agents"]);
      break;
    case "repository":
      keys.push(["repositories"]);
      break;
    default:
      keys.push(["health"], ["agents"]);
  }
  return keys.map((key) => key.filter((part) => part !== undefined));
}

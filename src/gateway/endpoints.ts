import type { IncomingHttpHeaders } from "node:http";
import type { Dialect } from "./dialect.ts";

/** How an answer of an endpoint names its usage. `none`: it has no cost. */
export type UsageFormat = "messages" | "responses" | "chat" | "none";

export interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Name in ledger and log. */
  readonly name: string;
  readonly dialect: (headers: IncomingHttpHeaders) => Dialect;
  readonly usage: UsageFormat;
}

const anthropic = (): Dialect => "anthropic";
const openai = (): Dialect => "openai";
/** Both dialects have `/v1/models`; only Anthropic's clients send a version. */
const byVersionHeader = (headers: IncomingHttpHeaders): Dialect =>
  headers["anthropic-version"] === undefined ? "openai" : "anthropic";

/** Every call that passes through to a provider. */
export const ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: "/v1/messages", name: "messages", dialect: anthropic, usage: "messages" },
  {
    method: "POST",
    path: "/v1/messages/count_tokens",
    name: "count_tokens",
    dialect: anthropic,
    usage: "none",
  },
  { method: "POST", path: "/v1/responses", name: "responses", dialect: openai, usage: "responses" },
  { method: "POST", path: "/v1/chat/completions", name: "chat_completions", dialect: openai, usage: "chat" },
  { method: "GET", path: "/v1/models", name: "models", dialect: byVersionHeader, usage: "none" },
  { method: "GET", path: "/v1/models/:id", name: "models", dialect: byVersionHeader, usage: "none" },
];

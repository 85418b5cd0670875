import type { IncomingHttpHeaders } from "node:http";
import type { Dialect } from "./dialect.ts";

/** How an answer of an endpoint names its usage. `none`: it has no cost. */
export type UsageFormat = "messages" | "responses" | "chat" | "embeddings" | "gemini" | "none";

/** What a provider may offer; the names of ledger, log and compatibility matrix. */
export const ENDPOINT_NAMES = [
  "messages",
  "count_tokens",
  "chat_completions",
  "responses",
  "responses_input_tokens",
  "embeddings",
  "generate_content",
  "gemini_count_tokens",
  "gemini_embeddings",
  "models",
] as const;
export type EndpointName = (typeof ENDPOINT_NAMES)[number];

export interface Endpoint {
  readonly method: "GET" | "POST";
  /** As Fastify reads it. */
  readonly path: string;
  readonly name: EndpointName;
  readonly dialect: (headers: IncomingHttpHeaders) => Dialect;
  readonly usage: UsageFormat;
}

const anthropic = (): Dialect => "anthropic";
const openai = (): Dialect => "openai";
const google = (): Dialect => "google";
/** Both dialects have `/v1/models`; only Anthropic's clients send a version. */
const byVersionHeader = (headers: IncomingHttpHeaders): Dialect =>
  headers["anthropic-version"] === undefined ? "openai" : "anthropic";

const post = (
  path: string,
  name: EndpointName,
  dialect: Endpoint["dialect"],
  usage: UsageFormat,
): Endpoint => ({ method: "POST", path, name, dialect, usage });

/** Every call that goes to a provider, but Gemini's, whose operation stands in the path: see `geminiEndpoint`. */
export const ENDPOINTS: readonly Endpoint[] = [
  post("/v1/messages", "messages", anthropic, "messages"),
  post("/v1/messages/count_tokens", "count_tokens", anthropic, "none"),
  post("/v1/responses", "responses", openai, "responses"),
  post("/v1/responses/input_tokens", "responses_input_tokens", openai, "none"),
  post("/v1/chat/completions", "chat_completions", openai, "chat"),
  post("/v1/embeddings", "embeddings", openai, "embeddings"),
];

/** Lists of models and one model: answered by us, from every provider. */
export const MODELS_ENDPOINTS: readonly Endpoint[] = [
  { method: "GET", path: "/v1/models", name: "models", dialect: byVersionHeader, usage: "none" },
  { method: "GET", path: "/v1/models/*", name: "models", dialect: byVersionHeader, usage: "none" },
  { method: "GET", path: "/v1beta/models", name: "models", dialect: google, usage: "none" },
  { method: "GET", path: "/v1beta/models/*", name: "models", dialect: google, usage: "none" },
];

export const GEMINI_PATH = "/v1beta/models/*";

const GEMINI_OPERATIONS: Readonly<Record<string, Endpoint>> = {
  generateContent: post(GEMINI_PATH, "generate_content", google, "gemini"),
  streamGenerateContent: post(GEMINI_PATH, "generate_content", google, "gemini"),
  countTokens: post(GEMINI_PATH, "gemini_count_tokens", google, "none"),
  embedContent: post(GEMINI_PATH, "gemini_embeddings", google, "gemini"),
  batchEmbedContents: post(GEMINI_PATH, "gemini_embeddings", google, "gemini"),
};

export interface GeminiTarget {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** e.g. `streamGenerateContent`. */
  readonly operation: string;
}

/** What `MODEL:OPERATION`, the rest of a Gemini path, asks for; null where there is no such operation. */
export function geminiEndpoint(rest: string): GeminiTarget | null {
  const colon = rest.lastIndexOf(":");
  const operation = rest.slice(colon + 1);
  const endpoint = Object.hasOwn(GEMINI_OPERATIONS, operation) ? GEMINI_OPERATIONS[operation] : undefined;
  return colon < 1 || endpoint === undefined ? null : { endpoint, operation, model: rest.slice(0, colon) };
}

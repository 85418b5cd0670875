import type { EndpointName } from "../endpoints.ts";

/** How a provider wants to be shown its key. */
export const AUTHS = ["bearer", "x-api-key", "api-key", "x-goog-api-key", "aws"] as const;
export type Auth = (typeof AUTHS)[number];

/** What is known of a kind of provider before anything is configured. Data only: adding one needs no code. */
export interface ProviderKind {
  /** For people. */
  readonly title: string;
  /** What its own SDK takes as base URL; null: the configuration must name one. `{region}` comes from the settings. */
  readonly baseUrl: string | null;
  /** Appended to a base URL that does not hold a version yet. */
  readonly version: string;
  readonly auth: Auth;
  /** Variable of `.env` that holds the key; null: none is wanted. */
  readonly apiKeyEnv: string | null;
  /** Provider id of the price list; null: found by the base URL, else by the model's name. */
  readonly priceProvider: string | null;
  /** Where each endpoint is, below the base URL; `{model}` and `{operation}` are filled in. Absent: not offered. */
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>;
  /** Models (globs) that are its own: asked for by name, they go there where nothing else is said. */
  readonly models: readonly string[];
  /** Whether it offers nothing but `models`, so that a foreign model is better sent elsewhere. */
  readonly ownModelsOnly: boolean;
  /** Runs on one's own machine: a call costs nothing. */
  readonly free: boolean;
  /** What every server of the kind offers: calls are translated into it rather than into something richer. */
  readonly surest?: EndpointName;
}

const OPENAI_ENDPOINTS = {
  chat_completions: "/chat/completions",
  responses: "/responses",
  embeddings: "/embeddings",
  models: "/models",
} as const;
const ANTHROPIC_ENDPOINTS = {
  messages: "/messages",
  count_tokens: "/messages/count_tokens",
  models: "/models",
} as const;

const local = (title: string, baseUrl: string | null): ProviderKind => ({
  title,
  baseUrl,
  version: "/v1",
  auth: "bearer",
  apiKeyEnv: null,
  priceProvider: null,
  endpoints: { ...OPENAI_ENDPOINTS, messages: "/messages" },
  models: [],
  ownModelsOnly: false,
  free: true,
});

export const PROVIDER_KINDS = {
  openai: {
    title: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    version: "/v1",
    auth: "bearer",
    apiKeyEnv: "OPENAI_API_KEY",
    priceProvider: "openai",
    endpoints: { ...OPENAI_ENDPOINTS, responses_input_tokens: "/responses/input_tokens" },
    models: ["gpt-*", "o1*", "o3*", "o4*", "chatgpt-*", "codex-*", "text-embedding-*"],
    ownModelsOnly: true,
    free: false,
  },
  anthropic: {
    title: "Anthropic",
    baseUrl: "https://api.anthropic.com",
    version: "/v1",
    auth: "x-api-key",
    apiKeyEnv: "ANTHROPIC_API_KEY",
    priceProvider: "anthropic",
    endpoints: ANTHROPIC_ENDPOINTS,
    models: ["claude-*"],
    ownModelsOnly: true,
    free: false,
  },
  google: {
    title: "Google Gemini",
    baseUrl: "https://generativelanguage.googleapis.com",
    version: "/v1beta",
    auth: "x-goog-api-key",
    apiKeyEnv: "GEMINI_API_KEY",
    priceProvider: "google",
    endpoints: {
      generate_content: "/models/{model}:{operation}",
      gemini_count_tokens: "/models/{model}:{operation}",
      gemini_embeddings: "/models/{model}:{operation}",
      models: "/models",
    },
    models: ["gemini-*", "gemma-*"],
    ownModelsOnly: true,
    free: false,
  },
  openrouter: {
    title: "OpenRouter",
    baseUrl: "https://openrouter.ai/api/v1",
    version: "/v1",
    auth: "bearer",
    apiKeyEnv: "OPENROUTER_API_KEY",
    priceProvider: "openrouter",
    endpoints: { ...OPENAI_ENDPOINTS, messages: "/messages" },
    models: ["*/*"],
    ownModelsOnly: false,
    free: false,
  },
  "azure-openai": {
    title: "Azure OpenAI",
    baseUrl: null,
    version: "/openai/v1",
    auth: "api-key",
    apiKeyEnv: "AZURE_OPENAI_API_KEY",
    priceProvider: "azure",
    endpoints: OPENAI_ENDPOINTS,
    models: [],
    ownModelsOnly: false,
    free: false,
  },
  bedrock: {
    title: "Amazon Bedrock",
    baseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
    version: "",
    auth: "aws",
    apiKeyEnv: "AWS_SECRET_ACCESS_KEY",
    priceProvider: "aws",
    endpoints: {
      messages: "/model/{model}/{operation}",
      chat_completions: "/openai/v1/chat/completions",
    },
    models: ["anthropic.*", "us.anthropic.*", "eu.anthropic.*", "apac.anthropic.*", "global.anthropic.*"],
    ownModelsOnly: false,
    free: false,
  },
  "openai-compatible": {
    title: "OpenAI-compatible server",
    baseUrl: null,
    version: "/v1",
    auth: "bearer",
    apiKeyEnv: null,
    priceProvider: null,
    endpoints: OPENAI_ENDPOINTS,
    models: [],
    ownModelsOnly: false,
    free: false,
    surest: "chat_completions",
  },
  ollama: local("Ollama", "http://127.0.0.1:11434/v1"),
  // Its own default port is ours.
  vllm: local("vLLM", null),
  lmstudio: local("LM Studio", "http://127.0.0.1:1234/v1"),
} as const satisfies Readonly<Record<string, ProviderKind>>;

export type KindName = keyof typeof PROVIDER_KINDS;
export const KIND_NAMES = Object.keys(PROVIDER_KINDS) as KindName[];

export function kindOf(name: KindName): ProviderKind {
  return PROVIDER_KINDS[name];
}

/** Settings of providers, as in `miyabi.yaml`, for a model server that speaks every dialect. */
export type Providers = (url: string) => Readonly<Record<string, unknown>>;

const only =
  (endpoint: string): Providers =>
  (url) => ({
    other: {
      kind: "openai-compatible",
      baseUrl: `${url}/v1`,
      models: ["*"],
      endpoints: [endpoint, "models"],
    },
  });

/** By what a provider speaks. */
export const PROVIDERS = {
  /** Each dialect by its own provider. */
  everything: (url) => ({
    openai: { baseUrl: url },
    anthropic: { baseUrl: url },
    google: { baseUrl: url },
  }),
  "chat completions only": only("chat_completions"),
  "responses only": only("responses"),
  "messages only": (url) => ({ anthropic: { baseUrl: url, models: ["*"] } }),
} as const satisfies Record<string, Providers>;

export type Speaks = keyof typeof PROVIDERS;

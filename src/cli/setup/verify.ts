import { z } from "zod";
import { messageOf, parseJson, type Clock } from "../../base/index.ts";
import type { Endpoint } from "./tools/index.ts";

const LIST_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 60_000;
const LONGEST_ERROR = 300;

interface Asked {
  readonly gateway: string;
  readonly key: string;
  readonly endpoint: Endpoint;
}

/** Models that the key may ask for. */
export type Offer =
  | { readonly state: "listed"; readonly models: readonly string[] }
  | { readonly state: "refused" }
  | { readonly state: "failed"; readonly why: string };

const list = z.object({
  data: z.array(z.object({ id: z.string() })).optional(),
  models: z.array(z.object({ name: z.string() })).optional(),
});

/** Asks the gateway for its models in the tool's dialect. Throws nothing. */
export async function listModels({ gateway, key, endpoint }: Asked): Promise<Offer> {
  const path = endpoint === "generate_content" ? "/v1beta/models" : "/v1/models";
  const answer = await send(`${gateway}${path}`, endpoint, key, null, LIST_TIMEOUT_MS);
  if (answer.status === 401) return { state: "refused" };
  const parsed = list.safeParse(answer.body);
  if (answer.status !== 200 || !parsed.success) return { state: "failed", why: answer.why };
  const { data = [], models = [] } = parsed.data;
  return {
    state: "listed",
    models: [...data.map((one) => one.id), ...models.map((one) => one.name.replace(/^models\//, ""))],
  };
}

/** What a call through the gateway came to. */
export type Tried =
  | { readonly state: "answered"; readonly model: string; readonly ms: number }
  | { readonly state: "failed"; readonly model: string; readonly why: string };

const TEXT = "Say ok.";

/** The smallest call that a provider accepts, with the tool's key in the tool's dialect. Throws nothing. */
export async function tryModel(
  asked: Asked & { readonly model: string; readonly clock: Clock },
): Promise<Tried> {
  const { gateway, endpoint, key, model, clock } = asked;
  const { path, body } = callOf(endpoint, model);
  const startMs = clock.monotonicMs();
  const answer = await send(`${gateway}${path}`, endpoint, key, body, CALL_TIMEOUT_MS);
  if (answer.status !== 200) return { state: "failed", model, why: answer.why };
  return { state: "answered", model, ms: Math.round(clock.monotonicMs() - startMs) };
}

function callOf(endpoint: Endpoint, model: string): { readonly path: string; readonly body: object } {
  const messages = [{ role: "user", content: TEXT }];
  switch (endpoint) {
    case "messages":
      return { path: "/v1/messages", body: { model, max_tokens: 1, messages } };
    case "responses":
      // Fewer are refused by OpenAI.
      return { path: "/v1/responses", body: { model, input: TEXT, max_output_tokens: 16, store: false } };
    case "chat_completions": {
      // Models that reason know only the newer name, and fail where their thoughts take all tokens.
      const limit = /(^|\/)(gpt-[5-9]|o\d)/.test(model) ? { max_completion_tokens: 256 } : { max_tokens: 1 };
      return { path: "/v1/chat/completions", body: { model, messages, ...limit } };
    }
    case "generate_content":
      return {
        path: `/v1beta/models/${encodeURIComponent(model)}:generateContent`,
        body: {
          contents: [{ role: "user", parts: [{ text: TEXT }] }],
          generationConfig: { maxOutputTokens: 16 },
        },
      };
  }
}

interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly body: unknown;
  /** What went wrong, for people. */
  readonly why: string;
}

async function send(
  url: string,
  endpoint: Endpoint,
  key: string,
  body: object | null,
  timeoutMs: number,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: body === null ? "GET" : "POST",
      headers: { ...keyHeaders(endpoint, key), "content-type": "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = parseJson(text);
    return {
      status: response.status,
      body: parsed,
      why: `${response.status}: ${errorIn(parsed) ?? text}`.slice(0, LONGEST_ERROR),
    };
  } catch (error) {
    return { status: 0, body: null, why: messageOf(error) };
  }
}

function keyHeaders(endpoint: Endpoint, key: string): Record<string, string> {
  switch (endpoint) {
    case "messages":
      return { authorization: `Bearer ${key}`, "anthropic-version": "2023-06-01" };
    case "generate_content":
      return { "x-goog-api-key": key };
    default:
      return { authorization: `Bearer ${key}` };
  }
}

const failure = z.object({ error: z.object({ message: z.string() }) });

function errorIn(body: unknown): string | null {
  const parsed = failure.safeParse(body);
  return parsed.success ? parsed.data.error.message : null;
}

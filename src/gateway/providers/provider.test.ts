import { describe, expect, test } from "vitest";
import { gatewaySettings } from "../settings.ts";
import { openProvider, providerPath, type Provider } from "./provider.ts";

function open(name: string, given: Record<string, unknown>, secret: string | undefined = "key"): Provider {
  const settings = gatewaySettings.parse({ providers: { [name]: given } }).providers[name];
  if (settings === undefined) throw new Error("not configured");
  const choice = openProvider({ name, settings, readSecret: () => secret, readSealedKey: () => undefined });
  if (choice.state === "missing") throw new Error(choice.message);
  return choice.provider;
}

describe("a base URL is what the kind's SDK takes", () => {
  const asked = { operation: null, query: "?beta=true", model: "m" };
  test.each([
    ["anthropic", {}, "messages", "https://api.anthropic.com/v1/messages?beta=true"],
    [
      "anthropic",
      { baseUrl: "https://api.anthropic.com/v1/" },
      "messages",
      "https://api.anthropic.com/v1/messages?beta=true",
    ],
    [
      "anthropic",
      { baseUrl: "https://host.example/anthropic" },
      "count_tokens",
      "https://host.example/anthropic/v1/messages/count_tokens?beta=true",
    ],
    ["openai", {}, "responses", "https://api.openai.com/v1/responses?beta=true"],
    [
      "openai",
      { baseUrl: "http://localhost:11434" },
      "embeddings",
      "http://localhost:11434/v1/embeddings?beta=true",
    ],
    [
      "openai",
      { baseUrl: "https://host.example/api/paas/v4" },
      "chat_completions",
      "https://host.example/api/paas/v4/chat/completions?beta=true",
    ],
    [
      "azure",
      { kind: "azure-openai", baseUrl: "https://x.openai.azure.com" },
      "responses",
      "https://x.openai.azure.com/openai/v1/responses?beta=true",
    ],
    ["openrouter", {}, "messages", "https://openrouter.ai/api/v1/messages?beta=true"],
    ["ollama", {}, "chat_completions", "http://127.0.0.1:11434/v1/chat/completions?beta=true"],
    [
      "mine",
      { kind: "vllm", baseUrl: "http://gpu:9000" },
      "chat_completions",
      "http://gpu:9000/v1/chat/completions?beta=true",
    ],
  ] as const)("%s %j %s", (name, given, endpoint, expected) => {
    const provider = open(name, given);
    expect(provider.origin + (providerPath(provider, { ...asked, endpoint }) ?? "")).toBe(expected);
  });

  test("models and operations stand in the path, and cannot leave it", () => {
    const google = open("google", {});
    const path = (model: string) =>
      providerPath(google, {
        endpoint: "generate_content",
        model,
        operation: "streamGenerateContent",
        query: "?alt=sse",
      });
    expect(path("gemini-2.5-pro")).toBe("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    expect(path("../../x?y")).toBe("/v1beta/models/x%3Fy:streamGenerateContent?alt=sse");
    const bedrock = open("bedrock", { region: "eu-west-1" });
    expect(bedrock.origin).toBe("https://bedrock-runtime.eu-west-1.amazonaws.com");
    expect(
      providerPath(bedrock, {
        endpoint: "messages",
        model: "anthropic.claude-v2:0",
        operation: "invoke",
        query: "",
      }),
    ).toBe("/model/anthropic.claude-v2:0/invoke");
  });
});

describe("keys", () => {
  test("are shown as the kind wants it", () => {
    expect(open("anthropic", {}).headers).toEqual({ "x-api-key": "key" });
    expect(open("openai", {}).headers).toEqual({ authorization: "Bearer key" });
    expect(open("google", {}).headers).toEqual({ "x-goog-api-key": "key" });
    expect(open("azure", { kind: "azure-openai", baseUrl: "https://x.example" }).headers).toEqual({
      "api-key": "key",
    });
    expect(open("openai", { apiKeyEnv: null }, undefined).headers).toEqual({});
    expect(open("bedrock", {}).aws).toMatchObject({ accessKeyId: "key", region: "us-east-1" });
  });

  test("that are missing are named with where they belong", () => {
    expect(() => open("anthropic", {}, "  ")).toThrow(/ANTHROPIC_API_KEY.*gateway\.providers\.anthropic/);
  });
});

test("settings refuse what could not be sent or is not complete", () => {
  const refused = (value: unknown): string =>
    gatewaySettings
      .safeParse(value)
      .error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`)
      .join() ?? "";
  expect(refused({ providers: { openai: { headers: { "x-a": "a\r\nx-evil: 1" } } } })).toContain(
    "headers.x-a",
  );
  expect(refused({ providers: { openai: { baseUrl: "file:///etc" } } })).toContain("baseUrl");
  expect(refused({ providers: { mine: { baseUrl: "http://x" } } })).toContain("providers.mine.kind");
  expect(refused({ providers: { azure: { kind: "azure-openai" } } })).toContain("providers.azure.baseUrl");
  expect(refused({ unknown: 1 })).not.toBe("");
});

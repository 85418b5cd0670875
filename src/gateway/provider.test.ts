import { describe, expect, test } from "vitest";
import { chooseProvider, providerPath } from "./provider.ts";
import { gatewaySettings } from "./settings.ts";
import type { Dialect } from "./dialect.ts";

const target = (dialect: Dialect, baseUrl: string): string | null => {
  const settings = gatewaySettings.parse({ providers: { [dialect]: { baseUrl } } });
  const choice = chooseProvider(dialect, settings, () => "key");
  return choice.state === "missing"
    ? null
    : choice.provider.origin + providerPath(choice.provider, "/v1/x?beta=true");
};

describe("a base URL is what the dialect's SDK takes", () => {
  test.each<[Dialect, string, string]>([
    ["anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1/x?beta=true"],
    ["anthropic", "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/x?beta=true"],
    ["anthropic", "https://host.example/anthropic", "https://host.example/anthropic/v1/x?beta=true"],
    ["openai", "https://api.openai.com/v1", "https://api.openai.com/v1/x?beta=true"],
    ["openai", "http://localhost:11434", "http://localhost:11434/v1/x?beta=true"],
    ["openai", "https://host.example/api/paas/v4", "https://host.example/api/paas/v4/x?beta=true"],
  ])("%s %s", (dialect, baseUrl, expected) => {
    expect(target(dialect, baseUrl)).toBe(expected);
  });
});

test("a server without keys gets none, another needs the variable that is named", () => {
  const settings = gatewaySettings.parse({ providers: { openai: { apiKeyEnv: null } } });
  const keyless = chooseProvider("openai", settings, () => undefined);
  expect(keyless).toMatchObject({ state: "configured", provider: { headers: {} } });
  const missing = chooseProvider("anthropic", settings, () => "  ");
  expect(missing).toMatchObject({ state: "missing", message: expect.stringContaining("ANTHROPIC_API_KEY") });
});

test("settings refuse what could not be sent", () => {
  const withHeader = (value: string) => ({ providers: { openai: { headers: { "x-a": value } } } });
  expect(gatewaySettings.safeParse(withHeader("a\r\nx-evil: 1")).success).toBe(false);
  expect(gatewaySettings.safeParse({ providers: { openai: { baseUrl: "file:///etc" } } }).success).toBe(
    false,
  );
  expect(gatewaySettings.safeParse({ unknown: 1 }).success).toBe(false);
});

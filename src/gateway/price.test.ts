import { calcPrice } from "@pydantic/genai-prices";
import { describe, expect, test } from "vitest";
import { createSeededRandom } from "../base/index.ts";
import { costOfUsage, type PricedProvider } from "./price.ts";
import { UNKNOWN_USAGE, type TokenUsage } from "./usage/usage.ts";

const provider = (id: string): PricedProvider => ({
  name: id,
  settings: { priceProvider: id, baseUrl: "http://127.0.0.1", free: false },
  usualPriceProvider: id,
});
const costOf = (id: string, model: string, usage: TokenUsage, at = new Date("2026-11-21T12:00:00Z")) =>
  costOfUsage({ model, usage, provider: provider(id), overrides: {}, at });

const listed = (id: string, model: string, usage: TokenUsage, at = new Date("2026-11-21T12:00:00Z")) => {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour, webSearches } = usage;
  const counts = {
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite,
    cache_write_1h_tokens: cacheWriteHour,
    web_searches: webSearches,
  };
  const keys = Object.fromEntries(
    Object.entries(counts).flatMap(([key, count]) => (count === null || count === 0 ? [] : [[key, count]])),
  );
  return calcPrice({ input_tokens: 0, ...keys }, model, { providerId: id, timestamp: at });
};

describe("the cost of a usage", () => {
  test.each([
    ["openai", "gpt-5"],
    ["openai", "gpt-4o"],
    ["openai", "o3"],
    ["openai", "text-embedding-3-small"],
    ["anthropic", "claude-sonnet-4-5"],
    ["anthropic", "claude-opus-4-1"],
    ["anthropic", "claude-3-5-haiku-latest"],
    ["google", "gemini-2.5-pro"],
    ["google", "gemini-2.5-flash"],
    ["deepseek", "deepseek-chat"],
    ["x-ai", "grok-4"],
    ["mistral", "mistral-large-latest"],
  ])("of %s's %s is what the price list says, at any size", async (id, model) => {
    const random = createSeededRandom(7);
    const upTo = (most: number): number => Math.floor(random.fraction() * (most + 1));
    for (let count = 0; count < 200; count += 1) {
      const input = upTo(count % 3 === 0 ? 500_000 : 5_000);
      const cacheRead = upTo(input);
      const cacheWrite = upTo(input - cacheRead);
      const usage: TokenUsage = {
        ...UNKNOWN_USAGE,
        input,
        output: upTo(20_000),
        cacheRead,
        cacheWrite,
        cacheWriteHour: upTo(cacheWrite),
        webSearches: upTo(3),
      };
      const cost = await costOf(id, model, usage);
      const expected = listed(id, model, usage);
      expect(expected).not.toBeNull();
      // What ends in half a micro may be rounded either way.
      expect(Math.abs((cost?.micros ?? NaN) - (expected?.total_price ?? NaN) * 1e6)).toBeLessThanOrEqual(
        0.5001,
      );
      expect(cost?.price).toEqual({
        provider: expected?.provider.id,
        model: expected?.model.id,
        prices: expected?.model_price,
      });
    }
  });

  test("of a model whose price depends on the hour follows the hour", async () => {
    const usage = { ...UNKNOWN_USAGE, input: 1_000_000, output: 0 };
    const micros = async (hour: string) =>
      (await costOf("deepseek", "deepseek-chat", usage, new Date(`2026-11-21T${hour}:00Z`)))?.micros;
    expect([await micros("12:00"), await micros("20:00"), await micros("12:00")]).toEqual([
      270_000, 135_000, 270_000,
    ]);
  });

  test("that contradicts itself is unknown", async () => {
    const usage = { ...UNKNOWN_USAGE, input: 10, output: 1, cacheRead: 11 };
    expect(await costOf("openai", "gpt-5", usage)).toBeNull();
  });
});

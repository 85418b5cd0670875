import { describe, expect, test } from "vitest";
import { createSeededRandom } from "../../base/index.ts";
import type { Dialect } from "../dialect.ts";
import type { EndpointName } from "../endpoints.ts";
import { createRegistries } from "../providers/registry.ts";
import { gatewaySettings } from "../settings.ts";
import { chooseTargets } from "./choose-targets.ts";
import type { Ranking } from "./order-targets.ts";

const RANKING: Ranking = {
  needs: () => new Set(["images"]),
  latencyOf: (target) => ({ slow: 900, quick: 100 })[target.model ?? ""] ?? null,
  priceOf: async (target) => ({ dear: 9, cheap: 1 })[target.model ?? ""] ?? null,
};
const KEYS: Record<string, string> = { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o", OPENROUTER_API_KEY: "r" };

async function targets(
  model: string | null,
  over: {
    readonly settings?: unknown;
    readonly endpoint?: EndpointName;
    readonly dialect?: Dialect;
    readonly translations?: readonly EndpointName[];
    readonly keys?: Record<string, string>;
  } = {},
): Promise<readonly string[] | string> {
  const registry = createRegistries({
    readSecret: (name) => (over.keys ?? KEYS)[name],
    readSealedKey: () => undefined,
  }).of(gatewaySettings.parse(over.settings ?? {}));
  const chosen = await chooseTargets({
    registry,
    endpoint: over.endpoint ?? "chat_completions",
    dialect: over.dialect ?? "openai",
    model,
    translations: over.translations ?? [],
    ranking: RANKING,
    random: createSeededRandom(1),
  });
  return chosen.state === "none"
    ? chosen.refusal
    : chosen.targets.map((target) => `${target.provider.name} ${target.model} ${target.endpoint}`);
}

describe("without routes", () => {
  test("a call goes to the provider of its dialect", async () => {
    expect(await targets("gpt-5")).toEqual(["openai gpt-5 chat_completions"]);
    expect(await targets(null)).toEqual(["openai null chat_completions"]);
    expect(await targets("claude-x", { endpoint: "messages", dialect: "anthropic" })).toEqual([
      "anthropic claude-x messages",
    ]);
  });

  test("a provider that claims the model by name takes it", async () => {
    const settings = { providers: { mine: { kind: "ollama", models: ["qwen*"] } } };
    expect(await targets("qwen3-coder", { settings })).toEqual(["mine qwen3-coder chat_completions"]);
    expect(await targets("mine/anything:7b", { settings })).toEqual(["mine anything:7b chat_completions"]);
    expect(await targets("qwen/qwen3", { settings: { providers: { openrouter: {} } } })).toEqual([
      "openrouter qwen/qwen3 chat_completions",
    ]);
  });

  test("a foreign model is translated for its own provider, unless the dialect's one may know it", async () => {
    const translations = ["messages"] as const;
    expect(await targets("claude-x", { translations })).toEqual(["anthropic claude-x messages"]);
    const settings = { providers: { openai: { baseUrl: "http://proxy.example/v1" } } };
    expect(await targets("claude-x", { translations, settings })).toEqual([
      "openai claude-x chat_completions",
    ]);
    expect(await targets("claude-x", { translations, keys: { OPENAI_API_KEY: "o" } })).toEqual([
      "openai claude-x chat_completions",
    ]);
  });

  test("a claim of a provider without a key does not stand in the way of one that can be asked", async () => {
    const settings = {
      providers: { mine: { kind: "openai-compatible", baseUrl: "http://mine.example/v1", models: ["*"] } },
    };
    const over = { settings, keys: {}, endpoint: "messages", dialect: "anthropic" } as const;
    expect(await targets("gpt-5", { ...over, translations: ["chat_completions"] })).toEqual([
      "mine gpt-5 chat_completions",
    ]);
  });

  test("what is missing is said", async () => {
    expect(await targets("gpt-5", { keys: {} })).toBe("not_configured");
    expect(await targets("anthropic/claude-x")).toBe("not_supported");
  });
});

describe("with routes", () => {
  const route = (strategy: string, models: readonly object[]) => ({
    settings: { aliases: { nick: "r" }, routes: { r: { strategy, targets: models } } },
  });
  const models = async (strategy: string, list: readonly object[], asked = "r") =>
    ((await targets(asked, route(strategy, list))) as string[]).map((target) => target.split(" ")[1]);

  test("targets come in the order of the strategy", async () => {
    expect(await models("order", [{ model: "b" }, { model: "a" }], "nick")).toEqual(["b", "a"]);
    expect(await models("price", [{ model: "new" }, { model: "dear" }, { model: "cheap" }])).toEqual([
      "cheap",
      "dear",
      "new",
    ]);
    expect(await models("latency", [{ model: "slow" }, { model: "quick" }, { model: "new" }])).toEqual([
      "new",
      "quick",
      "slow",
    ]);
    expect(
      await models("capability", [
        { model: "text", capabilities: ["tools"] },
        { model: "all" },
        { model: "sees", capabilities: ["images"] },
      ]),
    ).toEqual(["all", "sees", "text"]);
  });

  test("weights decide how often each is first, and weight 0 comes last", async () => {
    const first = { a: 0, b: 0, never: 0 };
    const registry = createRegistries({ readSecret: () => "k", readSealedKey: () => undefined }).of(
      gatewaySettings.parse({
        routes: {
          r: {
            strategy: "weighted",
            targets: [
              { model: "never", weight: 0 },
              { model: "a", weight: 3 },
              { model: "b", weight: 1 },
            ],
          },
        },
      }),
    );
    const random = createSeededRandom(7);
    for (let count = 0; count < 1_000; count += 1) {
      const chosen = await chooseTargets({
        registry,
        endpoint: "responses",
        dialect: "openai",
        model: "r",
        translations: [],
        ranking: RANKING,
        random,
      });
      if (chosen.state === "none") throw new Error(chosen.message);
      first[(chosen.targets[0]?.model ?? "never") as keyof typeof first] += 1;
      expect(chosen.targets.at(-1)?.model).toBe("never");
    }
    expect(first.never).toBe(0);
    expect(first.a / first.b).toBeGreaterThan(2.5);
    expect(first.a / first.b).toBeLessThan(3.6);
  });

  test("a target that cannot be used is left out; none left says why", async () => {
    const list = [{ provider: "gone" }, { provider: "google", model: "g" }, { model: "gpt-5" }];
    expect(await targets("r", route("order", list))).toEqual(["openai gpt-5 chat_completions"]);
    expect(await targets("r", route("order", [{ provider: "gone" }]))).toBe("not_configured");
  });
});

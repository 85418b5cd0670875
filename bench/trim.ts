import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ask, RUN_KEY, seedRun, startGateway } from "../test/support/gateway-under-test.ts";
import { createAgentSession, requestsOf } from "./agent-session.ts";
import { openBenchDatabase } from "./database.ts";
import { costOf, createPromptCache } from "./prompt-cache.ts";
import { atMost, median, noGoal, type Result } from "./result.ts";

/*
 * A session of a coding agent with 120 turns (agent-session.ts) goes through a running gateway to a provider that keeps a
 * prompt cache (prompt-cache.ts), with trimming for agents and without it. What counts is what the provider got. The cost
 * of output is the same and left out. After each request the cost so far is compared, not only at the end.
 */
const TURNS = 120;
const SEED = 1;
/** Further sessions, made the same way, to see how far the first one is chance. */
const OTHERS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

interface Replayed {
  /** After each request, in tokens at the price of input. */
  readonly costs: readonly number[];
  readonly tokens: number;
  readonly readShare: number;
  readonly ms: readonly number[];
}

export async function measureTrim(note: (text: string) => void): Promise<readonly Result[]> {
  const opened = await openBenchDatabase(4);
  const provider = await startProvider();
  await seedRun(opened.database);
  const gatewayWith = (trim: unknown) =>
    startGateway({
      database: opened.database,
      settings: { providers: { anthropic: { baseUrl: provider.origin } }, trim },
    });
  const [trimming, plain] = [await gatewayWith({ runs: "window" }), await gatewayWith({ runs: "off" })];
  const replay = async (url: string, seed: number, pauses: boolean): Promise<Replayed> => {
    provider.begin();
    const ms: number[] = [];
    for (const { pauseMs, body } of requestsOf(createAgentSession({ seed, turns: TURNS, pauses }))) {
      provider.wait(pauseMs);
      const answer = await ask(url, "/v1/messages", body, { "x-api-key": RUN_KEY });
      if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text.slice(0, 200)}`);
      ms.push(answer.ms);
    }
    return { ...provider.seen(), ms };
  };
  const compare = async (seed: number, pauses: boolean) => {
    const [with_, without] = [
      await replay(trimming.url, seed, pauses),
      await replay(plain.url, seed, pauses),
    ];
    const ratios = with_.costs.map((cost, index) => cost / (without.costs[index] ?? Number.NaN));
    return { with_, without, last: ratios.at(-1) ?? Number.NaN, most: Math.max(...ratios) };
  };
  try {
    note(`a session of ${TURNS} turns`);
    const first = await compare(SEED, true);
    note("the same without long pauses");
    const steady = await compare(SEED, false);
    note(`${OTHERS.length} other sessions, without long pauses`);
    const others: { readonly last: number; readonly most: number }[] = [];
    for (const seed of OTHERS) others.push(await compare(seed, false));
    return [
      atMost(0.7, { name: `trim, ${TURNS} turns, cost with / without`, value: first.last, unit: "×" }),
      atMost(1, { name: `trim, ${TURNS} turns, most after any request`, value: first.most, unit: "×" }),
      atMost(0.7, { name: "trim, no pause over 5 min, cost with / without", value: steady.last, unit: "×" }),
      atMost(1, { name: "trim, no pause over 5 min, most after any request", value: steady.most, unit: "×" }),
      noGoal({
        name: "trim, other sessions, median cost",
        value: median(others.map(({ last }) => last)),
        unit: "×",
      }),
      noGoal({
        name: "trim, other sessions, dearest",
        value: Math.max(...others.map(({ last }) => last)),
        unit: "×",
      }),
      atMost(1, {
        name: "trim, other sessions, most after any request",
        value: Math.max(...others.map(({ most }) => most)),
        unit: "×",
      }),
      noGoal({
        name: "trim, tokens sent with / without",
        value: first.with_.tokens / first.without.tokens,
        unit: "×",
      }),
      noGoal({ name: "trim, read from the provider's cache", value: 100 * first.with_.readShare, unit: "%" }),
      noGoal({
        name: "no trim, read from the provider's cache",
        value: 100 * first.without.readShare,
        unit: "%",
      }),
      noGoal({
        name: "trim, whole call, added p50",
        value: median(steady.with_.ms) - median(steady.without.ms),
        unit: "ms",
      }),
    ];
  } finally {
    await trimming.close();
    await plain.close();
    await provider.close();
    await opened.close();
  }
}

/** A provider whose clock is turned on by hand. */
async function startProvider() {
  let cache = createPromptCache();
  let nowMs = 0;
  let costs: number[] = [];
  let read = 0;
  let tokens = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const usage = cache.take(Buffer.concat(parts), nowMs);
      costs.push((costs.at(-1) ?? 0) + costOf(usage));
      read += usage.read;
      tokens += usage.read + usage.written;
      response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          type: "message",
          model: "claude-sonnet-4-5",
          content: [{ type: "text", text: "ok" }],
          usage: {
            input_tokens: 0,
            cache_read_input_tokens: usage.read,
            cache_creation_input_tokens: usage.written,
            output_tokens: 1,
          },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begin: (): void => {
      cache = createPromptCache();
      [nowMs, costs, read, tokens] = [0, [], 0, 0];
    },
    wait: (ms: number): void => {
      nowMs += ms;
    },
    seen: () => ({ costs, tokens, readShare: read / tokens }),
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

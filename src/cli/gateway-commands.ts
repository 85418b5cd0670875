import type { Command } from "commander";
import { AppError } from "../base/index.ts";
import { gatewayKeyId, instant, taskId, type GatewayKeyView, type ProviderView } from "../contract/index.ts";
import { addCalls } from "./call-commands.ts";
import { declare } from "./catalog.ts";
import { action, integer, listOf, valueOf } from "./context.ts";
import { readSecret } from "./read-secret.ts";
import { localTime, oneLine, table } from "./table.ts";
import { z } from "zod";

export function addGatewayCommands(program: Command): void {
  addProviders(declare(program, "providers"));
  addKeys(declare(program, "keys"));
  addCache(declare(program, "cache"));
  addCalls(declare(program, "calls"));
}

const MARKS = { native: "●", translated: "○", estimated: "≈", none: "–" } as const;

function addProviders(providers: Command): void {
  providers.action(
    action(async ({ client, output }) => {
      const { items } = await (await client()).call("listProviders");
      output.result({ items }, matrixText(items));
    }),
  );
  providers
    .command("key")
    .argument("<provider>", "name in gateway.providers, e.g. openai")
    .description("seal a provider's key (read from standard input, or asked for), or forget it")
    .option("--remove", "forget the sealed key; one in .env is used again")
    .action(
      action(async ({ client, output }, provider: string, flags: { readonly remove?: true }) => {
        const api = await client();
        if (flags.remove === true) {
          const row = await api.call("removeProviderKey", { params: { provider }, body: {} });
          return output.result(row, `The sealed key of ${provider} is forgotten.`);
        }
        const key = await readSecret(`Key of ${provider}`);
        const row = await api.call("setProviderKey", { params: { provider }, body: { key } });
        output.result(row, `The key of ${provider} is sealed and in use. It is not shown again.`);
      }),
    );
}

function matrixText(items: readonly ProviderView[]): string {
  const endpoints = Object.keys(items[0]?.endpoints ?? {});
  const rows = items.map((one) => [
    one.name,
    one.title,
    stateOf(one),
    ...endpoints.map((name) => MARKS[one.endpoints[name] ?? "none"]),
    one.baseUrl ?? "—",
  ]);
  return [
    table([["provider", "kind", "state", ...endpoints, "address"], ...rows]),
    "● by itself  ○ translated  ≈ counted by the gateway, roughly  – not offered",
  ].join("\n");
}

function stateOf(one: ProviderView): string {
  if (one.breaker === "open") return "out (failing)";
  if (one.state === "ready") return one.key === null ? "ready" : `ready (${one.key})`;
  return one.state === "no-key" ? "no key" : "not configured";
}

interface KeyFlags {
  readonly name: string;
  readonly kind: "person" | "tool" | "team";
  readonly team?: string;
  readonly task?: string;
  readonly model?: readonly string[];
  readonly requests?: number;
  readonly tokens?: number;
  readonly dayUsd?: number;
  readonly monthUsd?: number;
  readonly taskUsd?: number;
  readonly cache?: true;
  readonly expires?: string;
}

const MOST = 2_000_000_000;
const usd = valueOf(z.coerce.number().nonnegative().max(1_000_000));
const micros = (value: number | undefined): number | null =>
  value === undefined ? null : Math.round(value * 1_000_000);

function addKeys(keys: Command): void {
  keys
    .command("add")
    .description("make a key for a person, a tool or a team; it is shown once")
    .requiredOption("--name <text>", "what it is for")
    .option("--kind <kind>", "person, tool or team", valueOf(z.enum(["person", "tool", "team"])), "person")
    .option("--team <name>", "keys of a team share its budget and its cached answers")
    .option("--task <id>", "book its calls on a task", valueOf(taskId))
    .option(
      "--model <glob>",
      "allow only these models, e.g. 'claude-haiku-*'; repeatable",
      listOf(z.string()),
    )
    .option("--requests <n>", "most requests a minute", integer(1, MOST))
    .option("--tokens <n>", "most tokens a minute", integer(1, MOST))
    .option("--day-usd <usd>", "budget a day", usd)
    .option("--month-usd <usd>", "budget a month", usd)
    .option("--task-usd <usd>", "budget of each task", usd)
    .option("--cache", "answer from the cache what was asked before")
    .option("--expires <instant>", "end it then, e.g. 2026-12-31T00:00:00Z", valueOf(instant))
    .action(
      action(async ({ client, output }, flags: KeyFlags) => {
        const made = await (
          await client()
        ).call("createGatewayKey", {
          body: {
            name: flags.name,
            kind: flags.kind,
            team: flags.team ?? null,
            taskId: flags.task ?? null,
            models: flags.model === undefined ? null : [...flags.model],
            requestsPerMinute: flags.requests ?? null,
            tokensPerMinute: flags.tokens ?? null,
            budgetDayMicros: micros(flags.dayUsd),
            budgetMonthMicros: micros(flags.monthUsd),
            budgetTaskMicros: micros(flags.taskUsd),
            cache: flags.cache === true,
            expiresAt: flags.expires ?? null,
          },
        });
        output.result(made, `${made.id}  ${made.key}\nThis is the only time that the key is shown.`);
      }),
    );
  keys
    .command("list")
    .description("keys there are, newest first")
    .action(
      action(async ({ client, output }) => {
        const { items } = await (await client()).call("listGatewayKeys");
        output.result({ items }, items.length === 0 ? "There are no keys." : keysText(items));
      }),
    );
  keys
    .command("revoke")
    .argument("<id>", "key, e.g. K3", valueOf(gatewayKeyId))
    .description("end a key at once")
    .action(
      action(async ({ client, output }, id: string) => {
        const key = await (await client()).call("revokeGatewayKey", { params: { id }, body: {} });
        output.result(key, `${key.id} is refused from now on.`);
      }),
    );
}

function keysText(items: readonly GatewayKeyView[]): string {
  const money = (value: number | null): string => (value === null ? "—" : `$${value / 1_000_000}`);
  return table([
    ["key", "name", "kind", "team", "begins", "day", "month", "task", "models", "state"],
    ...items.map((one) => [
      one.id,
      oneLine(one.name),
      one.kind,
      oneLine(one.team ?? "—"),
      one.start,
      money(one.budgetDayMicros),
      money(one.budgetMonthMicros),
      money(one.budgetTaskMicros),
      one.models?.join(",") ?? "all",
      one.revokedAt !== null
        ? `revoked ${localTime(one.revokedAt)}`
        : one.expiresAt === null
          ? "valid"
          : `until ${localTime(one.expiresAt)}`,
    ]),
  ]);
}

interface ClearFlags {
  readonly tag?: string;
  readonly model?: string;
  readonly key?: string;
  readonly all?: true;
}

function addCache(cache: Command): void {
  cache.action(
    action(async ({ client, output }) => {
      const stats = await (await client()).call("cacheStats");
      const since = stats.oldestAt === null ? "" : `, the oldest of ${localTime(stats.oldestAt)}`;
      output.result(stats, `${stats.entries} answers, ${(stats.bytes / 1_048_576).toFixed(1)} MiB${since}`);
    }),
  );
  cache
    .command("clear")
    .description("forget kept answers")
    .option("--tag <tag>", "those with a tag")
    .option("--model <model>", "those of a model")
    .option("--key <id>", "those of a key", valueOf(gatewayKeyId))
    .option("--all", "all of them")
    .action(
      action(async ({ client, output }, flags: ClearFlags) => {
        const { removed } = await (await client()).call("invalidateCache", { body: invalidationOf(flags) });
        output.result({ removed }, `${removed} answers are forgotten.`);
      }),
    );
}

/** @throws usage.invalid unless exactly one is given */
function invalidationOf(flags: ClearFlags) {
  const { tag, model, key, all } = flags;
  if ([tag, model, key, all].filter((one) => one !== undefined).length === 1) {
    if (tag !== undefined) return { tag };
    if (model !== undefined) return { model };
    if (key !== undefined) return { keyId: key };
    return { all: true as const };
  }
  throw new AppError({
    code: "usage.invalid",
    message: "Say what is to be forgotten: one of --tag, --model, --key, --all.",
    fix: "miyabi cache clear --help",
  });
}

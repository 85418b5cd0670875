import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf, parseJson, type Clock, type Log } from "../../base/index.ts";
import type { Dialect } from "../dialect.ts";
import type { Caller } from "../pipeline/caller.ts";
import { answerError } from "../pipeline/refuse.ts";
import { providerPath, type Provider } from "../providers/provider.ts";
import type { Registry } from "../providers/registry.ts";
import { fits } from "../routing/glob.ts";
import type { Upstreams } from "../upstreams.ts";
import { objectOf, textOf, type JsonObject } from "../usage/usage.ts";

/** A model that may be asked for. */
interface KnownModel {
  readonly id: string;
  /** Provider, or `miyabi` for aliases and routes. */
  readonly owner: string;
  /** The provider's own words about it. */
  readonly entry: JsonObject;
}

interface AnswerParams {
  readonly registry: Registry;
  readonly caller: Caller;
  readonly dialect: Dialect;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Id of one model; null: all. */
  readonly path: string | null;
}

export interface ModelList {
  /** Answers a request for the list or for one model. */
  answer(params: Readonly<AnswerParams>): Promise<void>;
}

const BELIEVED_MS = 5 * 60_000;
const RETRIED_AFTER_MS = 10_000;
const WAIT_MS = 10_000;
const LARGEST_BYTES = 8 * 1024 * 1024;

/**
 * Models of all configured providers, aliases and routes, without those that the caller may not use, in the caller's
 * dialect. A provider that cannot be asked is left out; its list is kept for five minutes.
 */
export function createModelList(
  params: Readonly<{ upstreams: Upstreams; clock: Clock; log: Log }>,
): ModelList {
  const { clock } = params;
  const lists = new Map<Provider, { readonly models: Promise<readonly KnownModel[]>; untilMs: number }>();

  const listOf = (provider: Provider, registry: Registry): Promise<readonly KnownModel[]> => {
    const known = lists.get(provider);
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.models;
    const entry = {
      untilMs: clock.monotonicMs() + BELIEVED_MS,
      models: askProvider(provider, registry).catch((error: unknown) => {
        params.log.warn(
          { provider: provider.name, error: messageOf(error) },
          "models of a provider not listed",
        );
        entry.untilMs = clock.monotonicMs() + RETRIED_AFTER_MS;
        return [];
      }),
    };
    if (lists.size > 200) lists.clear();
    lists.set(provider, entry);
    return entry.models;
  };

  const askProvider = async (provider: Provider, registry: Registry): Promise<readonly KnownModel[]> => {
    const path = providerPath(provider, { endpoint: "models", model: null, operation: null, query: "" });
    if (path === null) return [];
    const dispatcher = await params.upstreams.open(provider.origin, registry.settings.timeouts);
    const timer = new AbortController();
    void clock.sleep(WAIT_MS, timer.signal).then(
      () => timer.abort(),
      () => {},
    );
    const version = provider.settings.kind === "anthropic" ? { "anthropic-version": "2023-06-01" } : {};
    const { statusCode, body } = await dispatcher.request({
      method: "GET",
      path,
      headers: { ...version, ...provider.headers },
      signal: timer.signal,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BYTES) throw new RangeError("the list is too long");
      chunks.push(chunk);
    }
    timer.abort();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    const list = objectOf(parseJson(Buffer.concat(chunks).toString("utf8")));
    const items = Array.isArray(list["data"]) ? list["data"] : list["models"];
    return (Array.isArray(items) ? items : []).flatMap((item): KnownModel[] => {
      const entry = objectOf(item);
      const id = textOf(entry["id"]) ?? textOf(entry["name"])?.replace(/^models\//, "");
      return id === null || id === undefined ? [] : [{ id, owner: provider.name, entry }];
    });
  };

  const allOf = async (registry: Registry): Promise<readonly KnownModel[]> => {
    const providers = registry.names.flatMap((name): Provider[] => {
      const choice = registry.get(name);
      return choice?.state === "configured" && choice.provider.endpoints.models !== undefined
        ? [choice.provider]
        : [];
    });
    const own = [...Object.keys(registry.settings.aliases), ...Object.keys(registry.settings.routes)].map(
      (id): KnownModel => ({ id, owner: "miyabi", entry: {} }),
    );
    const lists = await Promise.all(providers.map((provider) => listOf(provider, registry)));
    const seen = new Map<string, KnownModel>();
    for (const model of [...own, ...lists.flat()]) if (!seen.has(model.id)) seen.set(model.id, model);
    return [...seen.values()];
  };

  return {
    answer: async ({ registry, caller, dialect, request, response, path }) => {
      const allowed = (id: string): boolean =>
        caller.models === null || caller.models.some((glob) => fits(glob, id));
      const models = (await allOf(registry)).filter((model) => allowed(model.id));
      if (path === null) return send(response, listIn(dialect, models));
      const wanted = decodeURIComponentSafely(path);
      const found = models.find((model) => model.id === wanted);
      if (found === undefined)
        return void answerError(
          { request, response, dialect },
          "not_found",
          `There is no model "${wanted.slice(0, 200)}".`,
        );
      return send(response, entryIn(dialect, found));
    },
  };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function send(response: ServerResponse, value: object): void {
  const body = JSON.stringify(value);
  response
    .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    .end(body);
}

function listIn(dialect: Dialect, models: readonly KnownModel[]): object {
  const entries = models.map((model) => entryIn(dialect, model));
  switch (dialect) {
    case "openai":
      return { object: "list", data: entries };
    case "anthropic":
      return {
        data: entries,
        has_more: false,
        first_id: models[0]?.id ?? null,
        last_id: models.at(-1)?.id ?? null,
      };
    case "google":
      return { models: entries };
  }
}

const LONG_AGO = "1970-01-01T00:00:00Z";

/** The provider's own words, and what the dialect wants where they lack it. */
function entryIn(dialect: Dialect, { id, owner, entry }: KnownModel): object {
  switch (dialect) {
    case "openai":
      return { object: "model", created: 0, owned_by: owner, ...ofShape(entry, "object"), id };
    case "anthropic":
      return { type: "model", display_name: id, created_at: LONG_AGO, ...ofShape(entry, "type"), id };
    case "google":
      return {
        displayName: id,
        supportedGenerationMethods: ["generateContent", "streamGenerateContent"],
        ...ofShape(entry, "supportedGenerationMethods"),
        name: `models/${id}`,
      };
  }
}

/** An entry of the same dialect, told by a field that only that dialect has. */
function ofShape(entry: JsonObject, field: string): JsonObject {
  return field in entry ? entry : {};
}

import { ENDPOINT_NAMES, type EndpointName } from "../endpoints.ts";
import { COUNTED, isCounting } from "../routing/count-targets.ts";
import { KIND_NAMES, kindOf, type KindName } from "./kinds.ts";
import { offered } from "./provider.ts";
import type { Registry } from "./registry.ts";

/** How an endpoint is served: by the provider itself, translated by us, a count of tokens estimated by us, or not at all. */
export type Support = "native" | "translated" | "estimated" | "none";

/** One row of the compatibility matrix. */
export interface ProviderRow {
  readonly name: string;
  readonly kind: KindName;
  readonly title: string;
  /** Null: a kind of which no provider is configured, and which has no address of its own. */
  readonly baseUrl: string | null;
  /** `ready`: it can be called. `no-key`: configured, its key is missing. `available`: a kind that is not configured. */
  readonly state: "ready" | "no-key" | "available";
  /** Where its key comes from; null: it has or needs none. */
  readonly key: "sealed" | "env" | null;
  /** Null: never called. */
  readonly breaker: "closed" | "open" | "half-open" | null;
  readonly free: boolean;
  readonly models: readonly string[];
  readonly endpoints: Readonly<Record<EndpointName, Support>>;
}

interface MatrixParams {
  readonly registry: Registry;
  /** Endpoints that a call of one endpoint can be translated into. */
  readonly translationsOf: (endpoint: EndpointName) => readonly EndpointName[];
  readonly hasSealedKey: (provider: string) => boolean;
  readonly breakerOf: (provider: string) => ProviderRow["breaker"];
}

/** Every configured provider, then the kinds of which there is none. */
export function compatibilityMatrix(params: Readonly<MatrixParams>): readonly ProviderRow[] {
  const { registry } = params;
  const supportOf = (native: Readonly<Partial<Record<EndpointName, string>>>): ProviderRow["endpoints"] => {
    const support = (endpoint: EndpointName): Support => {
      if (native[endpoint] !== undefined) return "native";
      if (params.translationsOf(endpoint).some((other) => native[other] !== undefined)) return "translated";
      return isCounting(endpoint) && support(COUNTED[endpoint]) !== "none" ? "estimated" : "none";
    };
    return Object.fromEntries(
      ENDPOINT_NAMES.map((name) => [name, support(name)]),
    ) as ProviderRow["endpoints"];
  };
  const configured = Object.entries(registry.settings.providers).map(([name, settings]): ProviderRow => {
    const ready = registry.get(name)?.state === "configured";
    const inEnv = ready && settings.apiKeyEnv !== null ? "env" : null;
    return {
      name,
      kind: settings.kind,
      title: kindOf(settings.kind).title,
      baseUrl: settings.baseUrl,
      state: ready ? "ready" : "no-key",
      key: params.hasSealedKey(name) ? "sealed" : inEnv,
      breaker: params.breakerOf(name),
      free: settings.free,
      models: settings.models,
      endpoints: supportOf(offered(settings)),
    };
  });
  const used = new Set(configured.map((row) => row.kind));
  const others = KIND_NAMES.filter((kind) => !used.has(kind)).map((name): ProviderRow => {
    const kind = kindOf(name);
    return {
      name,
      kind: name,
      title: kind.title,
      baseUrl: kind.baseUrl,
      state: "available",
      key: null,
      breaker: null,
      free: kind.free,
      models: kind.models,
      endpoints: supportOf(kind.endpoints),
    };
  });
  return [...configured, ...others];
}

import type { Dialect } from "./dialect.ts";
import type { GatewaySettings, ProviderSettings } from "./settings.ts";

/** A provider that can be called now. */
export interface Provider {
  readonly name: Dialect;
  readonly origin: string;
  /** Prefix of every path, without a slash at its end; may be empty. */
  readonly pathPrefix: string;
  /** Headers that we add, names in lower case; hold the key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly settings: ProviderSettings;
}

/** Value of a variable of the installation's `.env`, or undefined. */
export type ReadSecret = (name: string) => string | undefined;

export type ProviderChoice =
  | { readonly state: "configured"; readonly provider: Provider }
  /** `message` names the setting and where it belongs. */
  | { readonly state: "missing"; readonly message: string };

/** The provider of a dialect, with its key. */
export function chooseProvider(
  dialect: Dialect,
  settings: GatewaySettings,
  readSecret: ReadSecret,
): ProviderChoice {
  const chosen = settings.providers[dialect];
  const key = chosen.apiKeyEnv === null ? null : readSecret(chosen.apiKeyEnv)?.trim();
  if (key === undefined || key === "")
    return {
      state: "missing",
      message:
        `No model provider is configured for this endpoint: put ${chosen.apiKeyEnv} into .env, ` +
        `or set gateway.providers.${dialect} in miyabi.yaml.`,
    };
  const url = new URL(chosen.baseUrl);
  return {
    state: "configured",
    provider: {
      name: dialect,
      origin: url.origin,
      pathPrefix: pathPrefix(dialect, url.pathname),
      headers: { ...lowerCased(chosen.headers), ...authHeader(chosen.auth, key) },
      settings: chosen,
    },
  };
}

/**
 * Where our `/v1/…` goes: OpenAI's base URLs hold the version (`…/v1`, also `…/api/paas/v4`), Anthropic's do not;
 * a base given the other way is understood too.
 */
function pathPrefix(dialect: Dialect, pathname: string): string {
  const base = pathname.replace(/\/+$/, "");
  if (dialect === "anthropic") return base.endsWith("/v1") ? base : `${base}/v1`;
  return base === "" ? "/v1" : base;
}

/** Path and query at the provider for a request's own, which begins with `/v1`. */
export function providerPath(provider: Provider, requestUrl: string): string {
  return provider.pathPrefix + requestUrl.slice("/v1".length);
}

function authHeader(auth: ProviderSettings["auth"], key: string | null): Record<string, string> {
  if (key === null) return {};
  return auth === "bearer" ? { authorization: `Bearer ${key}` } : { "x-api-key": key };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

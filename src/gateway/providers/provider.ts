import type { EndpointName } from "../endpoints.ts";
import { kindOf } from "./kinds.ts";
import type { ProviderSettings } from "./provider-settings.ts";

/** Value of a variable of the installation's `.env`, or undefined. */
export type ReadSecret = (name: string) => string | undefined;
/** A provider's key that was sealed by `miyabi providers key`, or undefined; it wins over `.env`. */
export type ReadSealedKey = (provider: string) => string | undefined;

/** A provider that can be called now. */
export interface Provider {
  readonly name: string;
  readonly settings: ProviderSettings;
  readonly origin: string;
  /** Prefix of every path, without a slash at its end; may be empty. */
  readonly basePath: string;
  /** Headers that we add, names in lower case; hold the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Paths below `basePath`; absent: not offered. */
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>;
  /** Where calls are signed instead of carrying a key. */
  readonly aws: AwsCredentials | null;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
}

export type ProviderChoice =
  | { readonly state: "configured"; readonly provider: Provider }
  /** `message` names the setting and where it belongs. */
  | { readonly state: "missing"; readonly message: string };

interface OpenParams {
  readonly name: string;
  readonly settings: ProviderSettings;
  readonly readSecret: ReadSecret;
  readonly readSealedKey: ReadSealedKey;
}

/** A provider with its key. */
export function openProvider(params: Readonly<OpenParams>): ProviderChoice {
  const { name, settings } = params;
  const key = params.readSealedKey(name) ?? keyOf(settings, params.readSecret);
  if (key === undefined)
    return {
      state: "missing",
      message:
        `The model provider "${name}" has no key: put ${settings.apiKeyEnv} into .env, ` +
        `or run \`miyabi providers key ${name}\`, or set gateway.providers.${name} in miyabi.yaml.`,
    };
  const aws = settings.auth === "aws" ? awsCredentials(settings, key, params.readSecret) : null;
  if (settings.auth === "aws" && aws === null)
    return {
      state: "missing",
      message: `The model provider "${name}" has no AWS_ACCESS_KEY_ID in .env.`,
    };
  const kind = kindOf(settings.kind);
  const url = new URL(settings.baseUrl);
  return {
    state: "configured",
    provider: {
      name,
      settings,
      origin: url.origin,
      basePath: withVersion(url.pathname, kind.version, settings.kind === "anthropic"),
      headers: { ...lowerCased(settings.headers), ...authHeader(settings.auth, key) },
      endpoints: offered(settings),
      aws,
    },
  };
}

/** What the provider offers, with the paths of its kind. */
export function offered(settings: ProviderSettings): Readonly<Partial<Record<EndpointName, string>>> {
  const known = kindOf(settings.kind).endpoints;
  if (settings.endpoints === null) return known;
  return Object.fromEntries(settings.endpoints.map((name) => [name, known[name] ?? USUAL_PATHS[name]]));
}

const USUAL_PATHS: Readonly<Record<EndpointName, string>> = {
  messages: "/messages",
  count_tokens: "/messages/count_tokens",
  chat_completions: "/chat/completions",
  responses: "/responses",
  responses_input_tokens: "/responses/input_tokens",
  embeddings: "/embeddings",
  generate_content: "/models/{model}:{operation}",
  gemini_count_tokens: "/models/{model}:{operation}",
  gemini_embeddings: "/models/{model}:{operation}",
  models: "/models",
};

/** Null: the provider wants no key; undefined: it is missing. */
function keyOf(settings: ProviderSettings, readSecret: ReadSecret): string | null | undefined {
  if (settings.apiKeyEnv === null) return null;
  const key = readSecret(settings.apiKeyEnv)?.trim();
  return key === "" ? undefined : key;
}

function awsCredentials(
  settings: ProviderSettings,
  key: string | null,
  readSecret: ReadSecret,
): AwsCredentials | null {
  const accessKeyId = readSecret("AWS_ACCESS_KEY_ID")?.trim();
  if (key === null || accessKeyId === undefined || accessKeyId === "") return null;
  const sessionToken = readSecret("AWS_SESSION_TOKEN")?.trim();
  return {
    accessKeyId,
    secretAccessKey: key,
    sessionToken: sessionToken === "" ? undefined : sessionToken,
    region: settings.region,
  };
}

/**
 * Base URLs come with their version or without: OpenAI's usually hold it (`…/v1`, also `…/api/paas/v4`), Anthropic's do
 * not. A base of OpenAI's shape with any path is taken as complete; Anthropic's only where it ends in the version.
 */
function withVersion(pathname: string, version: string, addToAnyPath: boolean): string {
  const base = pathname.replace(/\/+$/, "");
  if (base.endsWith(version)) return base;
  return addToAnyPath || base === "" ? base + version : base;
}

function authHeader(auth: ProviderSettings["auth"], key: string | null): Record<string, string> {
  if (key === null || auth === "aws") return {};
  return auth === "bearer" ? { authorization: `Bearer ${key}` } : { [auth]: key };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

interface PathParams {
  readonly endpoint: EndpointName;
  readonly model: string | null;
  /** Of Gemini and Bedrock, e.g. `streamGenerateContent`. */
  readonly operation: string | null;
  /** The caller's query, with its question mark, or empty. */
  readonly query: string;
}

/** Path and query at the provider; null where it does not offer the endpoint. */
export function providerPath(provider: Provider, params: Readonly<PathParams>): string | null {
  const template = provider.endpoints[params.endpoint];
  if (template === undefined) return null;
  const path = template
    .replace("{model}", () => encodeModel(params.model ?? ""))
    .replace("{operation}", () => params.operation ?? "");
  return provider.basePath + path + params.query;
}

/** Slashes of a model's name (`tunedModels/x`) stay; nothing else may leave its place in the path. */
function encodeModel(model: string): string {
  return model
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .map((part) => encodeURIComponent(part).replaceAll("%3A", ":"))
    .join("/");
}

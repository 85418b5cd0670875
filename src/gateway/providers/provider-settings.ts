import { z } from "zod";
import { ENDPOINT_NAMES } from "../endpoints.ts";
import { AUTHS, KIND_NAMES, kindOf, type KindName } from "./kinds.ts";

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "not a name of an HTTP header");
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, "a header's value is one line of ASCII");
const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "the name of a variable has capitals, digits and _");

/** Name of a provider in routes, ledger and log. */
export const providerName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,40}$/, "a provider's name has small letters, digits, dots and dashes");

/** One provider in `miyabi.yaml`; what is left out comes from its kind. */
const provider = z.strictObject({
  /** Default: the provider's own name, where that is one. */
  kind: z.enum(KIND_NAMES as [KindName, ...KindName[]]).optional(),
  /** What an SDK of the kind takes as its base URL; with or without the version. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Name of the variable in `.env` that holds the key; null for a server that wants none. */
  apiKeyEnv: variable.nullable().optional(),
  /** Header that carries the key; `aws`: signed with the keys in `AWS_…`. */
  auth: z.enum(AUTHS).optional(),
  /** Further headers of every call, e.g. an organisation; they replace the caller's. No secrets: this file is not `.env`. */
  headers: z.record(headerName, headerValue).default({}),
  /** Provider id of the price list, e.g. `openrouter`; null: found by `baseUrl`, else by the kind. */
  priceProvider: z.string().nullable().default(null),
  /** Models (globs, e.g. `qwen*`) that are sent here where nothing else is said. */
  models: z.array(z.string().min(1)).optional(),
  /** What it offers, where that differs from its kind. */
  endpoints: z.array(z.enum(ENDPOINT_NAMES)).optional(),
  /** Whether calls cost nothing, e.g. on a machine of one's own. */
  free: z.boolean().optional(),
  /** Of Amazon Bedrock. */
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default("us-east-1"),
});

export interface ProviderSettings {
  readonly kind: KindName;
  readonly baseUrl: string;
  readonly apiKeyEnv: string | null;
  readonly auth: (typeof AUTHS)[number];
  readonly headers: Readonly<Record<string, string>>;
  readonly priceProvider: string | null;
  readonly models: readonly string[];
  /** Null: all that the kind offers. */
  readonly endpoints: readonly (typeof ENDPOINT_NAMES)[number][] | null;
  readonly free: boolean;
  readonly region: string;
  /** Whether the kind's own address and models are unchanged, so that a foreign model would be refused there. */
  readonly ownModelsOnly: boolean;
}

/** Always there: they need no more than a key in `.env`. */
const ALWAYS: readonly KindName[] = ["anthropic", "openai", "google"];

/** `gateway.providers`: every one that is named, completed from its kind, and the three that are always there. */
export const providersSettings = z
  .record(providerName, provider)
  .default({})
  .transform((given, context): Readonly<Record<string, ProviderSettings>> => {
    const complete: Record<string, ProviderSettings> = {};
    const names = [...new Set([...ALWAYS, ...Object.keys(given)])];
    for (const name of names) {
      const one = given[name] ?? provider.parse({});
      const kindName = one.kind ?? KIND_NAMES.find((kind) => kind === name);
      if (kindName === undefined) {
        context.addIssue({
          code: "custom",
          path: [name, "kind"],
          message: `say which kind of provider this is: ${KIND_NAMES.join(", ")}`,
        });
        continue;
      }
      const kind = kindOf(kindName);
      const baseUrl = one.baseUrl ?? kind.baseUrl?.replace("{region}", one.region);
      if (baseUrl === undefined) {
        context.addIssue({
          code: "custom",
          path: [name, "baseUrl"],
          message: `a provider of kind ${kindName} needs its address`,
        });
        continue;
      }
      complete[name] = {
        kind: kindName,
        baseUrl,
        apiKeyEnv: one.apiKeyEnv === undefined ? kind.apiKeyEnv : one.apiKeyEnv,
        auth: one.auth ?? kind.auth,
        headers: one.headers,
        priceProvider: one.priceProvider,
        models: one.models ?? kind.models,
        endpoints: one.endpoints ?? null,
        free: one.free ?? kind.free,
        region: one.region,
        ownModelsOnly: kind.ownModelsOnly && one.baseUrl === undefined && one.models === undefined,
      };
    }
    return complete;
  });

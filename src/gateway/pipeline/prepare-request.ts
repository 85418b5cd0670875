import type { IncomingHttpHeaders } from "node:http";
import type { EndpointName } from "../endpoints.ts";
import { requestHeaders } from "../headers.ts";
import { createEventStreamConverter } from "../providers/aws-event-stream.ts";
import { bedrockRequest } from "../providers/bedrock.ts";
import { providerPath } from "../providers/provider.ts";
import { signAws } from "../providers/sign-aws.ts";
import type { AttemptParams } from "../relay/attempt.ts";
import type { Target } from "../routing/choose-targets.ts";
import { withModel } from "../top-level-fields.ts";
import { withoutForeignProofs } from "../translate/foreign-proofs.ts";
import { createTap } from "../usage/tap.ts";
import type { Call } from "./call.ts";
import {
  translationsOf,
  Untranslatable,
  usageOf,
  type FindTranslation,
  type TranslatedCall,
} from "./translation.ts";

/** What is sent to one target, and how its answer is read. */
export type Prepared = Pick<
  AttemptParams,
  "method" | "path" | "headers" | "body" | "createTap" | "createFraming" | "createConverter"
>;

const ANTHROPIC_VERSION = "2023-06-01";

/**
 * The call as a target wants it. Where the target speaks the caller's dialect, only a renamed model changes a byte.
 * @throws Untranslatable
 */
export async function prepareRequest(
  call: Call,
  target: Target,
  findTranslation: FindTranslation,
): Promise<Prepared> {
  const { provider } = target;
  const { endpoint, translated } = translatedCall(call, target, findTranslation);
  const isPost = call.endpoint.method === "POST";
  let { body, operation } = translated ?? asItIs(call, target);
  let framing: Prepared["createFraming"] = null;

  if (provider.settings.kind === "bedrock" && endpoint === "messages") {
    const betas = call.request.headers["anthropic-beta"];
    const changed = bedrockRequest(body, Array.isArray(betas) ? betas.join(",") : betas);
    if (changed !== null) ({ body, operation } = changed);
    framing = amazonFraming;
  }
  const path =
    providerPath(provider, {
      endpoint,
      model: target.model,
      operation,
      query: queryFor(call, target, endpoint, operation),
    }) ??
    call.request.url ??
    "/";
  const signed =
    provider.aws === null
      ? {}
      : await signAws({
          url: provider.origin + path,
          method: call.endpoint.method,
          body: isPost ? body : null,
          credentials: provider.aws,
          at: call.startedAt,
        });
  const added = {
    ...headersFor(call, translated === null ? null : endpoint),
    ...provider.headers,
    ...signed,
  };
  const usage = usageOf(endpoint, call.endpoint.usage);
  return {
    method: call.endpoint.method,
    path,
    headers: requestHeaders(call.request.rawHeaders, call.request.headers.connection, added),
    body: isPost ? body : null,
    createTap: (status, headers) => createTap({ usage, status, headers }),
    createFraming: framing,
    createConverter: translated === null ? null : translated.answer,
  };
}

/**
 * The call as the target's endpoint wants it, `translated` null where that is the caller's own. What the best endpoint
 * cannot say may still be said to another one of the same provider.
 */
function translatedCall(
  call: Call,
  target: Target,
  findTranslation: FindTranslation,
): { readonly endpoint: EndpointName; readonly translated: TranslatedCall | null } {
  const from = call.endpoint.name;
  if (target.endpoint === from) return { endpoint: from, translated: null };
  const others = translationsOf(findTranslation, from).filter(
    (one) => one !== target.endpoint && target.provider.endpoints[one] !== undefined,
  );
  let problem: Untranslatable | null = null;
  for (const endpoint of [target.endpoint, ...others]) {
    try {
      const translated = findTranslation(from, endpoint)?.(call.body, {
        model: target.model,
        operation: call.operation,
        query: call.query,
      });
      if (translated !== undefined) return { endpoint, translated };
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error;
      problem ??= error;
    }
  }
  throw problem ?? new Untranslatable(`${from} cannot be translated into ${target.endpoint}.`);
}

function asItIs(call: Call, target: Target): Pick<TranslatedCall, "body" | "operation"> {
  const renamed = target.model !== null && target.model !== call.model;
  const body = withoutForeignProofs(call.body);
  return {
    body: renamed ? withModel(body, target.model) : body,
    operation: call.operation,
  };
}

/** The caller's query belongs to its own dialect; Gemini streams events only when asked in the query. */
function queryFor(call: Call, target: Target, endpoint: EndpointName, operation: string | null): string {
  if (target.provider.aws !== null) return "";
  if (endpoint === call.endpoint.name) return call.query;
  return operation === "streamGenerateContent" ? "?alt=sse" : "";
}

/** `into`: the endpoint that a translated call goes to; null: it is not translated. */
function headersFor(call: Call, into: EndpointName | null): Readonly<Record<string, string>> {
  return {
    // What is kept may go to a caller that reads no compressed answers; what is translated must be read by us.
    ...(call.copy !== null || into !== null ? { "accept-encoding": "identity" } : {}),
    ...(into === null ? {} : { "content-type": "application/json" }),
    ...(into === "messages" || into === "count_tokens" ? { "anthropic-version": ANTHROPIC_VERSION } : {}),
  };
}

function amazonFraming(_status: number, headers: IncomingHttpHeaders) {
  return headers["content-type"]?.includes("amazon.eventstream") === true
    ? createEventStreamConverter()
    : null;
}

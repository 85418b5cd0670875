import type { IncomingHttpHeaders } from "node:http";
import { requestHeaders } from "../headers.ts";
import { createEventStreamConverter } from "../providers/aws-event-stream.ts";
import { bedrockRequest } from "../providers/bedrock.ts";
import { providerPath } from "../providers/provider.ts";
import { signAws } from "../providers/sign-aws.ts";
import type { AttemptParams } from "../relay/attempt.ts";
import type { Target } from "../routing/choose-targets.ts";
import { withModel } from "../top-level-fields.ts";
import { createTap } from "../usage/tap.ts";
import type { Call } from "./call.ts";
import { usageOf, type FindTranslation, type TranslatedRequest, type Translation } from "./translation.ts";

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
  const isPost = call.endpoint.method === "POST";
  const translation =
    target.endpoint === call.endpoint.name ? null : findTranslation(call.endpoint.name, target.endpoint);
  let { body, operation } = translated(call, target, translation);
  let framing: Prepared["createFraming"] = null;

  if (provider.settings.kind === "bedrock" && target.endpoint === "messages") {
    const betas = call.request.headers["anthropic-beta"];
    const changed = bedrockRequest(body, Array.isArray(betas) ? betas.join(",") : betas);
    if (changed !== null) ({ body, operation } = changed);
    framing = amazonFraming;
  }
  const path =
    providerPath(provider, {
      endpoint: target.endpoint,
      model: target.model,
      operation,
      query: queryFor(call, target, operation),
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
  const added = { ...headersFor(call, target, translation !== null), ...provider.headers, ...signed };
  const usage = usageOf(target.endpoint, call.endpoint.usage);
  return {
    method: call.endpoint.method,
    path,
    headers: requestHeaders(call.request.rawHeaders, call.request.headers.connection, added),
    body: isPost ? body : null,
    createTap: (status, headers) => createTap({ usage, status, headers }),
    createFraming: framing,
    createConverter: translation === null ? null : translation.answer,
  };
}

function translated(call: Call, target: Target, translation: Translation | null): TranslatedRequest {
  if (translation !== null) return translation.request(call.body, { model: target.model });
  const renamed = target.model !== null && target.model !== call.model;
  return {
    body: renamed ? withModel(call.body, target.model) : call.body,
    operation: call.operation,
  };
}

/** The caller's query belongs to its own dialect; Gemini streams events only when asked in the query. */
function queryFor(call: Call, target: Target, operation: string | null): string {
  if (target.provider.aws !== null) return "";
  if (target.endpoint === call.endpoint.name) return call.query;
  return operation === "streamGenerateContent" ? "?alt=sse" : "";
}

function headersFor(call: Call, target: Target, isTranslated: boolean): Readonly<Record<string, string>> {
  return {
    // What is kept may go to a caller that reads no compressed answers; what is translated must be read by us.
    ...(call.copy !== null || isTranslated ? { "accept-encoding": "identity" } : {}),
    ...(isTranslated ? { "content-type": "application/json" } : {}),
    ...(isTranslated && target.endpoint === "messages" ? { "anthropic-version": ANTHROPIC_VERSION } : {}),
  };
}

function amazonFraming(_status: number, headers: IncomingHttpHeaders) {
  return headers["content-type"]?.includes("amazon.eventstream") === true
    ? createEventStreamConverter()
    : null;
}

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

/** What is sent to one target, and how its answer is read. */
export type Prepared = Pick<
  AttemptParams,
  "method" | "path" | "headers" | "body" | "createTap" | "createFraming" | "createConverter"
>;

/** The call as a target wants it. Where the target speaks the caller's dialect, only a renamed model changes a byte. */
export async function prepareRequest(call: Call, target: Target): Promise<Prepared> {
  const { provider } = target;
  const isPost = call.endpoint.method === "POST";
  let body =
    target.model === null || target.model === call.model ? call.body : withModel(call.body, target.model);
  let operation = call.operation;
  // What is kept may go to a caller that reads no compressed answers; what is converted must be read by us.
  const plain = call.copy === null ? {} : { "accept-encoding": "identity" };
  let added: Readonly<Record<string, string>> = { ...plain, ...provider.headers };
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
      query: provider.aws === null ? call.query : "",
    }) ??
    call.request.url ??
    "/";
  if (provider.aws !== null)
    added = {
      ...added,
      ...(await signAws({
        url: provider.origin + path,
        method: call.endpoint.method,
        body: isPost ? body : null,
        credentials: provider.aws,
        at: call.startedAt,
      })),
    };
  return {
    method: call.endpoint.method,
    path,
    headers: requestHeaders(call.request.rawHeaders, call.request.headers.connection, added),
    body: isPost ? body : null,
    createTap: (status, headers) => createTap({ usage: call.endpoint.usage, status, headers }),
    createFraming: framing,
    createConverter: null,
  };
}

function amazonFraming(_status: number, headers: IncomingHttpHeaders) {
  return headers["content-type"]?.includes("amazon.eventstream") === true
    ? createEventStreamConverter()
    : null;
}

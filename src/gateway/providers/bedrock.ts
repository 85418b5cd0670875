import { parseJson } from "../../base/index.ts";
import { objectOf } from "../usage/usage.ts";

const VERSION = "bedrock-2023-05-31";

export interface BedrockRequest {
  readonly body: Buffer;
  /** Last part of the path. */
  readonly operation: "invoke" | "invoke-with-response-stream";
}

/**
 * A request of Anthropic's Messages API as Bedrock wants it: the model and the wish for a stream go into the path, betas
 * from the header into the body; everything else stays. Null: the body is no JSON object.
 */
export function bedrockRequest(body: Buffer, betas: string | undefined): BedrockRequest | null {
  const parsed = parseJson(body.toString("utf8"));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  const { model: _model, stream, ...rest } = objectOf(parsed);
  const beta = betas
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const changed = {
    anthropic_version: VERSION,
    ...rest,
    ...(beta === undefined || beta.length === 0 ? {} : { anthropic_beta: beta }),
  };
  return {
    body: Buffer.from(JSON.stringify(changed)),
    operation: stream === true ? "invoke-with-response-stream" : "invoke",
  };
}

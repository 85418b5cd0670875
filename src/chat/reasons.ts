import type { Reason } from "../contract/index.ts";

/** Why an answer is not what it could be, with what helps; the console says each in Japanese too. */
export const CHAT_REASONS = {
  /** `message` is the gateway's or the provider's. */
  "chat.model_failed": null,
  "chat.no_model": "miyabi providers",
  "chat.forbidden": null,
  "chat.too_long": null,
  "chat.interrupted": null,
} as const satisfies Record<string, string | null>;

export function chatReason(
  code: keyof typeof CHAT_REASONS,
  message: string,
  params: Reason["params"] = {},
): Reason {
  return { code, message, params: { ...params, message }, fix: CHAT_REASONS[code] };
}

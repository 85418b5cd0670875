import type { EndpointName } from "../endpoints.ts";
import type { Target } from "./choose-targets.ts";

/** Endpoints that count the tokens of a request, and the endpoint that such a request is for. */
export const COUNTED = {
  count_tokens: "messages",
  responses_input_tokens: "responses",
  gemini_count_tokens: "generate_content",
} as const satisfies Partial<Record<EndpointName, EndpointName>>;
export type CountEndpoint = keyof typeof COUNTED;
export const COUNT_ENDPOINTS = Object.keys(COUNTED) as readonly CountEndpoint[];

export function isCounting(endpoint: EndpointName): endpoint is CountEndpoint {
  return Object.hasOwn(COUNTED, endpoint);
}

/**
 * Where the tokens of a call are counted that would go to these targets: at the same providers. Empty where the first one
 * cannot count: another model's count would be no better than an estimate.
 */
export function countTargets(targets: readonly Target[], endpoint: CountEndpoint): readonly Target[] {
  const able = targets.map((target): Target | null => {
    const { endpoints } = target.provider;
    const found = [endpoint, ...COUNT_ENDPOINTS].find((one) => endpoints[one] !== undefined);
    return found === undefined ? null : { ...target, endpoint: found };
  });
  return able[0] === null ? [] : able.filter((target) => target !== null);
}

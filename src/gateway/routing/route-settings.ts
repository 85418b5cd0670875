import { z } from "zod";
import { hedgeSettings } from "../hedge/hedge-settings.ts";
import { trimChoice } from "../trim/trim-settings.ts";

/** What a call may need of a model, as far as its request shows. */
export const CAPABILITIES = ["tools", "images", "thinking", "json", "long-context"] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** How a route puts its targets in order; the later ones take over where an earlier one fails. */
export const STRATEGIES = ["order", "weighted", "price", "latency", "capability"] as const;

const target = z.strictObject({
  /** Default: the provider whose `models` match. */
  provider: z.string().optional(),
  /** Default: the model that the caller asked for. */
  model: z.string().min(1).optional(),
  /** Share of the calls, for `weighted`. */
  weight: z.number().nonnegative().default(1),
  /** What the model can do, for `capability`; left out: everything. */
  capabilities: z.array(z.enum(CAPABILITIES)).optional(),
});

const route = z.strictObject({
  strategy: z.enum(STRATEGIES).default("order"),
  targets: z.array(target).min(1),
  /** How its calls are trimmed where neither call nor key say so. */
  trim: trimChoice.optional(),
  hedge: hedgeSettings.optional(),
});
export type RouteSettings = z.infer<typeof route>;
export type RouteTarget = z.infer<typeof target>;

export const routingSettings = {
  /** Other names of models: `fast: claude-haiku-4-5`, `cheap: openrouter/qwen/qwen3-coder`, or the name of a route. */
  aliases: z.record(z.string().min(1), z.string().min(1)).default({}),
  /** Models that are served by a choice of targets, with failover from one to the next. */
  routes: z.record(z.string().min(1), route).default({}),
};

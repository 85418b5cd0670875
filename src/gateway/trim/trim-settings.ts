import { z } from "zod";

export const LEAST_BUDGET = 1_024;
export const MOST_BUDGET = 8_192;
export const BUDGET_STEP = 256;
/** Where a caller says no more than that it wants to be trimmed. */
export const USUAL_BUDGET = 4_096;

/**
 * `off`; `window`: for agents, up to what the model takes in, old results of tools cleared where that saves money; or a
 * budget in tokens, for chats.
 */
export const trimChoice = z.union([
  z.enum(["off", "window"]),
  z.number().int().min(LEAST_BUDGET).max(MOST_BUDGET).multipleOf(BUDGET_STEP),
]);
export type TrimChoice = z.infer<typeof trimChoice>;

const summarySettings = z.strictObject({
  /** Or alias, or route. */
  model: z.string().min(1),
  /** Most tokens of a summary. */
  tokens: z.number().int().min(100).max(4_000).default(400),
});
export type SummarySettings = z.infer<typeof summarySettings>;

/** `gateway.trim` */
export const trimSettings = z
  .strictObject({
    /** Of agents' runs. */
    runs: trimChoice.default("off"),
    /** Of keys, by id (`K1`) or name. A call may say otherwise in its header `x-miyabi-trim`. */
    keys: z.record(z.string().min(1), trimChoice).default({}),
    /** Steps at the end (what the model said, with the results of its calls) that `window` leaves as they are. */
    keepSteps: z.number().int().min(1).max(100).default(3),
    /** Smaller requests are not touched by `window`, tokens. */
    fromTokens: z.number().int().nonnegative().default(24_576),
    /**
     * Clearing results makes the provider write a part of its prompt cache anew. Share of a conversation's cost so far that
     * may be paid for that before it is saved; 0: a conversation never costs more than untrimmed, at no point.
     */
    advance: z.number().min(0).max(0.2).default(0),
    /** A model that sums up turns that are dropped, once for each batch; null: they are only said to be missing. */
    summary: summarySettings.nullable().default(null),
    /** A model of embeddings by which is measured how much of the meaning is left; null: it is not measured. */
    retention: z
      .strictObject({ model: z.string().min(1) })
      .nullable()
      .default(null),
    /** Tokens that models take in, by name, where the price list does not know them or says too much. */
    windows: z.record(z.string().min(1), z.number().int().min(LEAST_BUDGET)).default({}),
    /** For models that nobody knows. */
    unknownWindow: z.number().int().min(LEAST_BUDGET).default(128_000),
  })
  .prefault({});
export type TrimSettings = z.infer<typeof trimSettings>;

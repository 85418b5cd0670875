import type { TrimTerms } from "./plan.ts";
import type { TrimChoice, TrimSettings } from "./trim-settings.ts";

/** Where a request is too large, half of what is allowed is left, so that the next time is far away. */
const SHRUNK = 0.5;
/** Vocabularies of models differ from the one that we count with. */
const WINDOW_SHARE = 0.75;
/** Prices of writing to Anthropic's prompt cache, for five minutes and for an hour. Others take no more. */
const WRITE_FACTOR = 1.25;
const WRITE_HOUR_FACTOR = 2;

/** Of the sentence that says that turns are missing. */
const NOTE_TOKENS = 40;

/** What a choice means for a request. `window`: tokens of the model; `output`: those that its answer may take of it. */
export function termsOf(params: {
  readonly choice: Exclude<TrimChoice, "off">;
  readonly settings: TrimSettings;
  readonly window: number;
  readonly output: number;
  readonly body: Buffer;
}): TrimTerms {
  const { choice, settings } = params;
  const noteTokens = NOTE_TOKENS + (settings.summary?.tokens ?? 0);
  if (choice !== "window")
    return {
      most: choice,
      least: choice * SHRUNK,
      keepSteps: 1,
      whole: "exchange",
      noteTokens,
      saving: null,
    };
  const most = Math.floor(Math.max(params.window - params.output, params.window / 2) * WINDOW_SHARE);
  return {
    most,
    least: most * SHRUNK,
    keepSteps: settings.keepSteps,
    whole: "step",
    noteTokens,
    saving: {
      fromTokens: settings.fromTokens,
      writeFactor: keepsAnHour(params.body) ? WRITE_HOUR_FACTOR : WRITE_FACTOR,
      advance: settings.advance,
    },
  };
}

/** A text that only looks so makes trimming more careful than it has to be, no more. */
function keepsAnHour(body: Buffer): boolean {
  return body.includes('"ttl":"1h"') || body.includes('"ttl": "1h"');
}

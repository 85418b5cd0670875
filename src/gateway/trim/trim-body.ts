import type { JsonObject } from "../usage/usage.ts";
import type { CountText } from "./count-tokens.ts";
import { rememberByContent } from "./count-tokens.ts";
import { messageOf } from "./dialects.ts";
import { findArray, type ArrayPlace } from "./json-array.ts";
import { tokensOf, type MessageView } from "./message-view.ts";
import { planTrim, type TrimPlan, type TrimTerms } from "./plan.ts";
import type { TrimDialect } from "./trim-dialect.ts";

export interface TrimBodyParams {
  readonly body: Buffer;
  /** The body, parsed. */
  readonly fields: JsonObject;
  readonly dialect: TrimDialect;
  readonly terms: TrimTerms;
  /** Numbers of messages that the caller wants to stay. */
  readonly pinned: ReadonlySet<number>;
}

export interface TrimmedBody {
  /** The same buffer where nothing was trimmed. */
  readonly body: Buffer;
  readonly plan: TrimPlan;
  /** Messages that were left out. */
  readonly dropped: readonly Buffer[];
  /** The body that tells the model what was in them, beside that they are missing. */
  readonly withSummary: (summary: string) => Buffer;
}

/** Trims bodies of requests; remembers the sizes of messages that it has seen. */
export type TrimBody = (params: Readonly<TrimBodyParams>) => TrimmedBody | null;

/** What stands in place of a result that was cleared. */
export const CLEARED = "[This result was cleared to save tokens. Call the tool again if it is needed.]";
const repeated = (callId: string): string => `[The same result as that of call ${callId} above.]`;
/** What the model is told where turns were dropped. */
const DROPPED = "[Earlier turns of this conversation were left out to save tokens.]";

/**
 * Trims a request: messages that change are replaced or cut out, every other byte stays as it was. Null: there is nothing
 * that could be trimmed.
 */
export function createTrimBody(count: CountText): TrimBody {
  const viewsBy = new Map<TrimDialect, (bytes: Buffer) => MessageView>();
  const sizeOfRest = rememberByContent((text) => ({ tokens: tokensOf(JSON.parse(text), count) }));

  const viewerOf = (dialect: TrimDialect): ((bytes: Buffer) => MessageView) => {
    const known = viewsBy.get(dialect);
    if (known !== undefined) return known;
    const viewer = rememberByContent((text) => dialect.view(messageOf(text), count));
    viewsBy.set(dialect, viewer);
    return viewer;
  };

  return ({ body, fields, dialect, terms, pinned }) => {
    const place = findArray(body, dialect.field);
    if (place === null || place.elements.length === 0 || !dialect.isWhole(fields)) return null;
    const viewer = viewerOf(dialect);
    const seen = place.elements.map(({ start, end }) => viewer(body.subarray(start, end)));
    const views = dialect.pair?.(seen) ?? seen;
    const rest = Buffer.concat([body.subarray(0, place.start), Buffer.from("[]"), body.subarray(place.end)]);
    const plan = planTrim({ views, otherTokens: sizeOfRest(rest).tokens, pinned, terms });
    if (plan.replaced.size === 0 && plan.dropped.size === 0)
      return { body, plan, dropped: [], withSummary: () => body };
    return {
      body: edited(body, place, dialect, plan, DROPPED),
      plan,
      dropped: place.elements.flatMap(({ start, end }, index) =>
        plan.dropped.has(index) ? [body.subarray(start, end)] : [],
      ),
      withSummary: (summary) =>
        edited(body, place, dialect, plan, `${DROPPED}\n<summary>\n${summary}\n</summary>`),
    };
  };
}

function edited(body: Buffer, place: ArrayPlace, dialect: TrimDialect, plan: TrimPlan, note: string): Buffer {
  const parts: Buffer[] = [];
  place.elements.forEach(({ start, end }, index) => {
    if (plan.dropped.has(index)) return;
    const bytes = body.subarray(start, end);
    const changed = changedMessage(bytes, index, dialect, plan, note);
    parts.push(
      Buffer.from(parts.length === 0 ? "[" : ","),
      changed === null ? bytes : Buffer.from(JSON.stringify(changed)),
    );
  });
  return Buffer.concat([body.subarray(0, place.start), ...parts, Buffer.from("]"), body.subarray(place.end)]);
}

/** Null: the message stays as it is. */
function changedMessage(
  bytes: Buffer,
  index: number,
  dialect: TrimDialect,
  plan: TrimPlan,
  note: string,
): JsonObject | null {
  const replaced = plan.replaced.get(index);
  if (replaced !== undefined) {
    const texts = [...replaced].map(
      ([number, by]) => [number, by === null ? CLEARED : repeated(by)] as const,
    );
    return dialect.replace(messageOf(bytes.toString("utf8")), new Map(texts));
  }
  return index === plan.noted ? dialect.addText(messageOf(bytes.toString("utf8")), note) : null;
}

import { parseJson } from "../../base/index.ts";
import { redactJson, type Redact } from "../../security/index.ts";
import type { EndpointName } from "../endpoints.ts";
import { answerOf, eventsOf, type AnswerEvent } from "../translate/answer.ts";
import type { Codec } from "../translate/codec.ts";
import { CODECS } from "../translate/codecs.ts";
import { createEventSplitter } from "../translate/server-sent-events.ts";
import { objectOf, UNKNOWN_USAGE } from "../usage/usage.ts";

/** A text as it may be kept. */
export interface KeptText {
  readonly text: string;
  readonly isCut: boolean;
}

/** Pictures, signatures and the like. */
const DATA = /[\w+/-]{2000,}={0,2}/g;

const withoutData = (text: string): string =>
  text.replaceAll(DATA, (data) => `[${data.length} characters of data]`);

/** Leaves the middle out: the beginning says what it is, the end what was asked last. */
function shortened(text: string, maxBytes: number): KeptText {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { text, isCut: false };
  const head = Math.floor(maxBytes / 4);
  const tail = maxBytes - head;
  const note = ` … [${bytes.length - maxBytes} bytes are left out] … `;
  return {
    text: bytes.toString("utf8", 0, head) + note + bytes.toString("utf8", bytes.length - tail),
    isCut: true,
  };
}

function keep(value: unknown, redact: Redact, maxBytes: number): KeptText {
  const safe = redactJson(value, (text) => redact(withoutData(text)));
  return shortened(JSON.stringify(safe), maxBytes);
}

/** A request's body; what is no JSON is kept as a text. */
export function keptRequest(body: Buffer, redact: Redact, maxBytes: number): KeptText {
  const text = body.toString("utf8");
  return keep(parseJson(text) ?? text, redact, maxBytes);
}

/**
 * What a model answered: its parts, put together, because a secret may be spread over the events of a stream. Null: it cannot
 * be read, or holds nothing to read. `stop` is null where the answer broke off.
 */
export function keptAnswer(
  endpoint: EndpointName,
  answer: { readonly contentType: string; readonly body: Buffer },
  redact: Redact,
  maxBytes: number,
): KeptText | null {
  const codec = Object.entries(CODECS).find(([spoken]) => spoken === endpoint)?.[1];
  if (codec === undefined) return null;
  try {
    const events = eventsIn(codec, answer);
    const whole = answerOf(events);
    const read = whole ?? answerOf([...events, ...BROKEN_OFF]);
    if (read === null || (whole === null && read.parts.length === 0)) return null;
    const parts = read.parts.map((part) => {
      if (part.type !== "tool_call") return { type: part.type, text: part.text };
      return { type: part.type, name: part.name, input: parseJson(part.input) ?? part.input };
    });
    return keep({ parts, stop: whole?.stop ?? null }, redact, maxBytes);
  } catch {
    // What a provider sends may be anything.
    return null;
  }
}

const BROKEN_OFF: readonly AnswerEvent[] = [
  { type: "part_end", proof: null },
  {
    type: "finish",
    stop: "end",
    stopSequence: null,
    usage: UNKNOWN_USAGE,
  },
];

function eventsIn(
  codec: Codec,
  { contentType, body }: { readonly contentType: string; readonly body: Buffer },
): readonly AnswerEvent[] {
  if (!contentType.includes("event-stream"))
    return eventsOf(codec.readAnswer(objectOf(JSON.parse(body.toString("utf8")))));
  const splitter = createEventSplitter();
  const reader = codec.createStreamReader();
  return [
    ...[...splitter.push(body), ...splitter.end()].flatMap((event) => reader.push(event)),
    ...reader.end(),
  ];
}

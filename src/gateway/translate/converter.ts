import type { IncomingHttpHeaders } from "node:http";
import type { Converter } from "../relay/converter.ts";
import { isEventStream } from "../usage/tap.ts";
import { objectOf } from "../usage/usage.ts";
import { answerOf, eventsOf, type AnswerEvent } from "./answer.ts";
import type { Codec, Stamp } from "./codec.ts";
import type { Conversation } from "./conversation.ts";
import { faultObject, faultOfBody } from "./fault.ts";
import { createEventSplitter } from "./server-sent-events.ts";

export interface ConverterParams {
  readonly caller: Codec;
  readonly provider: Codec;
  readonly conversation: Conversation;
  /** Undoes what was done to the request's names. */
  readonly back: (event: AnswerEvent) => AnswerEvent;
  readonly stamp: Stamp;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

const NOTHING = Buffer.alloc(0);
const JSON_TYPE = { "content-type": "application/json" } as const;
const STREAM_TYPE = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
} as const;

/** Turns one answer of a provider (a document, a stream or an error) into what its caller asked for. */
export function createConverter(params: Readonly<ConverterParams>): Converter {
  if (params.status >= 400) return createErrorConverter(params.caller, params.status);
  return params.conversation.stream ? streamConverter(params) : documentConverter(params);
}

/** A provider's error in its caller's dialect. */
export function createErrorConverter(caller: Codec, status: number): Converter {
  const body: Buffer[] = [];
  return {
    headers: JSON_TYPE,
    push: (chunk) => {
      body.push(chunk);
      return NOTHING;
    },
    end: () => {
      const fault = faultOfBody(Buffer.concat(body).toString("utf8"), status);
      return Buffer.from(JSON.stringify(faultObject(caller.dialect, fault, status)));
    },
  };
}

/** The provider's bytes as events, whether it streams or not. */
function createEventSource({ provider, headers, back }: Readonly<ConverterParams>): {
  push(chunk: Buffer): readonly AnswerEvent[];
  end(): readonly AnswerEvent[];
} {
  if (isEventStream(headers)) {
    const splitter = createEventSplitter();
    const reader = provider.createStreamReader();
    return {
      push: (chunk) => splitter.push(chunk).flatMap(reader.push).map(back),
      end: () => [...splitter.end().flatMap(reader.push), ...reader.end()].map(back),
    };
  }
  const body: Buffer[] = [];
  return {
    push: (chunk) => {
      body.push(chunk);
      return [];
    },
    end: () => {
      const document = objectOf(JSON.parse(Buffer.concat(body).toString("utf8")));
      return eventsOf(provider.readAnswer(document)).map(back);
    },
  };
}

function streamConverter(params: Readonly<ConverterParams>): Converter {
  const source = createEventSource(params);
  const writer = params.caller.createStreamWriter(params.conversation, params.stamp);
  let done = false;
  const write = (events: readonly AnswerEvent[]): Buffer => {
    let text = "";
    for (const event of events) {
      if (done) break;
      done = event.type === "finish" || event.type === "fault";
      text += writer.push(event);
    }
    return text === "" ? NOTHING : Buffer.from(text);
  };
  return {
    headers: STREAM_TYPE,
    push: (chunk) => write(source.push(chunk)),
    end: () => {
      const last = write(source.end());
      if (!done) throw new Error("a stream without its end");
      return last;
    },
  };
}

function documentConverter(params: Readonly<ConverterParams>): Converter {
  const source = createEventSource(params);
  const events: AnswerEvent[] = [];
  return {
    headers: JSON_TYPE,
    push: (chunk) => {
      events.push(...source.push(chunk));
      return NOTHING;
    },
    end: () => {
      events.push(...source.end());
      const answer = answerOf(events);
      if (answer === null) throw new Error("an answer without its end");
      return Buffer.from(
        JSON.stringify(params.caller.writeAnswer(answer, params.conversation, params.stamp)),
      );
    },
  };
}

import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";

export interface ServerSentEvent {
  /** Null: unnamed. */
  readonly event: string | null;
  readonly data: string;
}

/** Events longer than this are none of a model. */
const LONGEST_EVENT = 32 * 1024 * 1024;

/** Splits a stream's bytes into events, whatever the chunking and line ends. */
export function createEventSplitter(): {
  push(chunk: Buffer): readonly ServerSentEvent[];
  /** What came without the blank line at its end, as some servers send their last event. */
  end(): readonly ServerSentEvent[];
} {
  const decoder = new StringDecoder("utf8");
  let events: ServerSentEvent[] = [];
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ event, data }) => events.push({ event: event ?? null, data }),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") throw error;
    },
  });
  const taken = (): readonly ServerSentEvent[] => {
    const all = events;
    events = [];
    return all;
  };
  return {
    push: (chunk) => {
      parser.feed(decoder.write(chunk));
      return taken();
    },
    end: () => {
      parser.feed(`${decoder.end()}\n\n`);
      return taken();
    },
  };
}

/** One event as bytes go out; `event`: null where the dialect does not name them. */
export function eventText(event: string | null, data: object): string {
  const text = `data: ${JSON.stringify(data)}\n\n`;
  return event === null ? text : `event: ${event}\n${text}`;
}

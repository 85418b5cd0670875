/** One dispatched message of a server-sent event stream. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
  /** Null where the message carries no id. */
  readonly id: string | null;
}

/**
 * Parses a server-sent event stream piece by piece. `push` takes text in any cut and returns the messages that it
 * completed. Comments (pings) give no message. A message without data is dropped, as the standard says.
 */
export function createSseParser(): { push(text: string): readonly SseMessage[] } {
  let rest = "";
  let event = "message";
  let id: string | null = null;
  let data: string[] = [];

  function takeLine(line: string, out: SseMessage[]): void {
    if (line === "") {
      if (data.length > 0) out.push({ event, data: data.join("\n"), id });
      event = "message";
      id = null;
      data = [];
      return;
    }
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id") id = value;
  }

  return {
    push(text) {
      const out: SseMessage[] = [];
      rest += text;
      // A lone \r at the end may be the first half of \r\n: it waits for the next piece.
      let start = 0;
      const pattern = /\r\n|\n|\r(?!$)/g;
      for (let match = pattern.exec(rest); match !== null; match = pattern.exec(rest)) {
        takeLine(rest.slice(start, match.index), out);
        start = match.index + match[0].length;
      }
      rest = rest.slice(start);
      return out;
    },
  };
}

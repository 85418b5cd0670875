/*
 * HTTP/1.1 in as little code as is safe between our own processes: what measures must cost less than what is measured.
 * Node's own client and server would take most of the time of a call through nginx.
 */
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");

export interface WireEvents {
  /** First line and headers of a message, without its blank line. */
  head(text: string): void;
  body(piece: Buffer): void;
  end(): void;
}

/** Reads messages that follow each other on one connection; their bodies have a length or come in chunks. */
export function createWireReader(events: WireEvents): (chunk: Buffer) => void {
  let kept: Buffer | null = null;
  let state: "head" | "sized" | "size" | "chunk" | "trailer" = "head";
  let left = 0;

  const finish = (): void => {
    state = "head";
    events.end();
  };

  /** Takes one piece; gives where it ends, or -1 where more bytes are needed. */
  const take = (data: Buffer, from: number): number => {
    switch (state) {
      case "head": {
        const end = data.indexOf(HEAD_END, from);
        if (end === -1) return -1;
        const head = data.toString("latin1", from, end);
        events.head(head);
        if (/\r\ntransfer-encoding: *chunked/i.test(head)) state = "size";
        else {
          left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
          state = "sized";
          if (left === 0) finish();
        }
        return end + HEAD_END.length;
      }
      case "sized": {
        const end = Math.min(data.length, from + left);
        left -= end - from;
        events.body(data.subarray(from, end));
        if (left === 0) finish();
        return end;
      }
      case "size": {
        const end = data.indexOf(LINE_END, from);
        if (end === -1) return -1;
        left = Number.parseInt(data.toString("latin1", from, end), 16);
        state = left === 0 ? "trailer" : "chunk";
        return end + LINE_END.length;
      }
      case "chunk": {
        const end = Math.min(data.length, from + left);
        if (left > 0) {
          left -= end - from;
          events.body(data.subarray(from, end));
          return end;
        }
        if (data.length < from + LINE_END.length) return -1;
        state = "size";
        return from + LINE_END.length;
      }
      case "trailer": {
        const end = data.indexOf(LINE_END, from);
        if (end === -1) return -1;
        if (end === from) finish();
        return end + LINE_END.length;
      }
    }
  };

  return (chunk) => {
    const data = kept === null ? chunk : Buffer.concat([kept, chunk]);
    kept = null;
    for (let at = 0; at < data.length;) {
      const end = take(data, at);
      if (end === -1) {
        kept = data.subarray(at);
        return;
      }
      at = end;
    }
  };
}

/** Milliseconds of a clock that all processes of a machine share. */
export const sharedNowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

import { StringDecoder } from "node:string_decoder";

const MAX_LINE_LENGTH = 4 * 1024 * 1024;

/** Splits output into lines with bounded memory: a line is cut at 4 million characters and its rest dropped. */
export function createLineSplitter(onLine: (line: string) => void): {
  push(chunk: Buffer): void;
  /** Text of a chunk, whole characters only. */
  decode(chunk: Buffer): string;
  end(): void;
} {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  const take = (part: string): void => {
    if (length >= MAX_LINE_LENGTH) return;
    parts.push(part);
    length += part.length;
  };
  const endLine = (): void => {
    const line = parts.join("");
    parts = [];
    length = 0;
    onLine(line);
  };
  return {
    push: (chunk) => {
      const [first, ...more] = decoder.write(chunk).split("\n");
      take(first ?? "");
      for (const part of more) {
        endLine();
        take(part);
      }
    },
    decode: (chunk) => decoder.write(chunk),
    end: () => {
      if (length > 0) endLine();
    },
  };
}

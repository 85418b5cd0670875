import { cleanText } from "../../base/index.ts";

/** Keeps the last `maxBytes` of what is pushed, for error messages. */
export function createTail(maxBytes: number): { push(chunk: Buffer): void; text(): string } {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  return {
    push: (chunk) => {
      const kept = chunk.length > maxBytes ? chunk.subarray(chunk.length - maxBytes) : chunk;
      chunks.push(kept);
      sizeBytes += kept.length;
      // Joined only at twice the size: a flood of small chunks stays linear.
      if (sizeBytes <= maxBytes * 2 && chunks.length < 1_000) return;
      const joined = Buffer.concat(chunks);
      chunks = [joined.subarray(Math.max(0, joined.length - maxBytes))];
      sizeBytes = chunks[0]?.length ?? 0;
    },
    text: () => {
      const joined = Buffer.concat(chunks);
      return cleanText(joined.subarray(Math.max(0, joined.length - maxBytes)).toString("utf8")).trim();
    },
  };
}

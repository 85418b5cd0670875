import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

/** Tokens of a text, as the o200k vocabulary counts them; other vocabularies differ by up to a third. */
export type CountText = (text: string) => number;

/** Longer pieces without a break cost the tokenizer quadratic time: a million of one character would take hours. */
const LONGEST_PIECE = 1_024;
const PLAIN = { disallowedSpecial: new Set<string>() };

type Tokenizer = Pick<typeof import("gpt-tokenizer/encoding/o200k_base"), "countTokens">;
let tokenizer: Promise<Tokenizer> | null = null;

/** Loads the tokenizer, which takes 40 MB and 0.2 s: only those pay for it who trim. */
export async function loadTokenizer(): Promise<CountText> {
  tokenizer ??= import("gpt-tokenizer/encoding/o200k_base");
  const { countTokens } = await tokenizer;
  return (text) => {
    if (text.length <= LONGEST_PIECE) return countTokens(text, PLAIN);
    let tokens = 0;
    for (let start = 0; start < text.length;) {
      const end = breakBefore(text, start + LONGEST_PIECE);
      tokens += countTokens(text.slice(start, end), PLAIN);
      start = end;
    }
    return tokens;
  };
}

/** Never between the halves of one character. */
function breakBefore(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const code = text.charCodeAt(end);
  return code >= 0xdc00 && code <= 0xdfff ? end - 1 : end;
}

const MEDIA = ["image", "document", "file", "audio"].map((word) => Buffer.from(word));

/** Whether a request has no more than so many tokens for sure, without counting: no text has more tokens than bytes. */
export function surelyFits(body: Buffer, tokens: number): boolean {
  // A picture that is named by its address counts more than its bytes.
  return body.length <= tokens && !MEDIA.some((word) => body.includes(word));
}

const MOST_REMEMBERED = 50_000;

/** Remembers what was derived from a piece of a request: each request of a conversation repeats the one before it. */
export function rememberByContent<T extends object>(derive: (text: string) => T): (bytes: Buffer) => T {
  const known = new LRUCache<string, T>({ max: MOST_REMEMBERED });
  return (bytes) => {
    const hash = createHash("sha1").update(bytes).digest("base64");
    const found = known.get(hash);
    if (found !== undefined) return found;
    const derived = derive(bytes.toString("utf8"));
    known.set(hash, derived);
    return derived;
  };
}

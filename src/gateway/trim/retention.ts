import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

/** Vectors of texts, in their order; null: they cannot be had. */
export type Embed = (texts: readonly string[]) => Promise<readonly (readonly number[])[] | null>;

/** Characters of a piece: models of embeddings take in little at once. */
const LONGEST_PIECE = 2_000;
/** Pieces that are embedded for one measurement at most; what is larger is not measured. */
const MOST_NEW_PIECES = 512;
const MOST_AT_ONCE = 64;
/** A vector has about 6 KB: 12 MB. Each request of a conversation repeats the one before it. */
const MOST_REMEMBERED = 2_000;

export interface RetentionParams {
  /** What was said in each message, as it came and as it went out. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly embed: Embed;
  /** Of the model: vectors of different ones do not compare. */
  readonly scope: string;
}

/**
 * How much of a conversation's meaning is left after trimming: the cosine between what it means before and after, where the
 * meaning of a text is the mean of the embeddings of its pieces, weighted by their length. 1: nothing is lost; null: it
 * cannot be measured.
 */
export function createRetention(): (params: Readonly<RetentionParams>) => Promise<number | null> {
  const known = new LRUCache<string, Float32Array>({ max: MOST_REMEMBERED });

  return async ({ before, after, embed, scope }) => {
    const keyOf = (piece: string): string => createHash("sha1").update(`${scope}\n${piece}`).digest("base64");
    const vectors = new Map<string, Float32Array>();
    const wanted = new Map<string, string>();
    const [piecesBefore, piecesAfter] = [piecesOf(before), piecesOf(after)];
    for (const piece of [...piecesBefore, ...piecesAfter]) {
      const key = keyOf(piece);
      const found = known.get(key);
      if (found === undefined) wanted.set(key, piece);
      else vectors.set(key, found);
    }
    if (wanted.size > MOST_NEW_PIECES) return null;
    const missing = [...wanted];
    for (let from = 0; from < missing.length; from += MOST_AT_ONCE) {
      const some = missing.slice(from, from + MOST_AT_ONCE);
      const made = await embed(some.map(([, piece]) => piece));
      if (made === null || made.length !== some.length) return null;
      some.forEach(([key], index) => {
        const vector = unit(Float32Array.from(made[index] ?? []));
        known.set(key, vector);
        vectors.set(key, vector);
      });
    }
    const meaningOf = (pieces: readonly string[]): Float32Array =>
      meanOf(pieces.map((piece) => [vectors.get(keyOf(piece)) ?? new Float32Array(), piece.length] as const));
    return cosine(meaningOf(piecesBefore), meaningOf(piecesAfter));
  };
}

function piecesOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => {
    const pieces: string[] = [];
    for (let start = 0; start < text.length; start += LONGEST_PIECE)
      pieces.push(text.slice(start, start + LONGEST_PIECE).toWellFormed());
    return pieces;
  });
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((one) => one / length);
}

function meanOf(weighted: readonly (readonly [Float32Array, number])[]): Float32Array {
  const size = Math.max(0, ...weighted.map(([vector]) => vector.length));
  const sum = new Float32Array(size);
  for (const [vector, weight] of weighted)
    for (let index = 0; index < vector.length; index += 1)
      sum[index] = (sum[index] ?? 0) + (vector[index] ?? 0) * weight;
  return unit(sum);
}

/** Of unit vectors; null where one of them says nothing. */
function cosine(a: Float32Array, b: Float32Array): number | null {
  if (a.length === 0 || a.length !== b.length || !a.some(Boolean) || !b.some(Boolean)) return null;
  const product = a.reduce((sum, one, index) => sum + one * (b[index] ?? 0), 0);
  return Number.isFinite(product) ? Math.min(1, Math.max(-1, product)) : null;
}

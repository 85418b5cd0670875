/** Keeps what a caller gets, for others that ask the same. */
export interface AnswerCopy {
  begin(contentType: string): void;
  push(piece: Buffer): void;
  /** Null: nothing came, or more than may be kept. */
  whole(): { readonly contentType: string; readonly body: Buffer } | null;
}

export function createAnswerCopy(maxBytes: number): AnswerCopy {
  let contentType: string | null = null;
  let pieces: Buffer[] = [];
  let size = 0;
  return {
    begin: (type) => {
      contentType = type;
    },
    push: (piece) => {
      size += piece.length;
      if (size > maxBytes) pieces = [];
      else pieces.push(piece);
    },
    whole: () =>
      contentType === null || size === 0 || size > maxBytes
        ? null
        : { contentType, body: Buffer.concat(pieces) },
  };
}

/** Whoever keeps a copy already goes on with it; `whole` is that of the second one. */
export function copyToBoth(one: AnswerCopy | null, other: AnswerCopy): AnswerCopy {
  if (one === null) return other;
  return {
    begin: (contentType) => {
      one.begin(contentType);
      other.begin(contentType);
    },
    push: (piece) => {
      one.push(piece);
      other.push(piece);
    },
    whole: other.whole,
  };
}

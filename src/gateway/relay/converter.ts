/** Turns the bytes of a provider's answer into those of the caller's dialect, in any chunking. */
export interface Converter {
  /** Headers of the caller's answer that differ, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** May give nothing yet. @throws where the bytes cannot be understood */
  push(chunk: Buffer): Buffer;
  /** The rest. @throws where the answer is not complete */
  end(): Buffer;
}

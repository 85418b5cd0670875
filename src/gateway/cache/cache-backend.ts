/** A kept answer. */
export interface CachedAnswer {
  readonly contentType: string;
  readonly body: Buffer;
  readonly createdAt: Date;
}

export interface NewEntry {
  readonly hash: string;
  readonly scope: string;
  readonly keyId: string | null;
  readonly model: string | null;
  readonly tags: readonly string[];
  readonly contentType: string;
  readonly body: Buffer;
  readonly ttlSeconds: number;
}

/** Which entries are to go. */
export type Invalidation =
  { readonly tag: string } | { readonly model: string } | { readonly keyId: string } | { readonly all: true };

export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly oldestAt: Date | null;
}

/** Where answers are kept, for all processes. */
export interface CacheBackend {
  /** Null: there is none, or the backend is away. */
  get(hash: string): Promise<CachedAnswer | null>;
  put(entry: NewEntry): Promise<void>;
  remove(hash: string): Promise<void>;
  /** Number of entries that are gone. @throws gateway.cache_unavailable */
  invalidate(which: Invalidation): Promise<number>;
  /** Removes what has expired, then the oldest beyond `maxBytes`. */
  sweep(maxBytes: number): Promise<void>;
  /** @throws gateway.cache_unavailable */
  stats(): Promise<CacheStats>;
}

import type { TranscriptItem } from "../../../../src/contract/index.ts";
import { TranscriptRows, type TranscriptRow } from "./transcript-rows.ts";

export interface FeedState {
  readonly rows: readonly TranscriptRow[];
  /** Nothing has come yet. */
  readonly loading: boolean;
  /** The run has ended and all of it is here. */
  readonly ended: boolean;
  readonly error: unknown;
}

interface Page {
  readonly items: readonly TranscriptItem[];
  readonly lastSeq: number;
  readonly ended: boolean;
}

type ReadPage = (after: number, signal: AbortSignal) => Promise<Page>;

const START: FeedState = { rows: [], loading: true, ended: false, error: null };

/** Reads a run's transcript page by page up to its end, and further whenever it is told to look. */
export class TranscriptFeed {
  readonly #readPage: ReadPage;
  readonly #rows = new TranscriptRows();
  readonly #listeners = new Set<() => void>();
  #state = START;
  #stopping: AbortController | null = null;
  #reading = false;
  #wanted = false;

  constructor(readPage: ReadPage) {
    this.#readPage = readPage;
  }

  readonly read = (): FeedState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  indexOf(seq: number): number {
    return this.#rows.indexOf(seq);
  }

  start(): void {
    this.#stopping ??= new AbortController();
    this.look();
  }

  stop(): void {
    this.#stopping?.abort();
    this.#stopping = null;
  }

  /** There may be more. Looks that come while one is under way are one look after it. */
  look(): void {
    this.#wanted = true;
    if (this.#reading || this.#stopping === null) return;
    this.#reading = true;
    void this.#readAll(this.#stopping.signal).finally(() => {
      this.#reading = false;
      if (this.#wanted && this.#stopping !== null) this.look();
    });
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    try {
      while (this.#wanted && !signal.aborted) {
        this.#wanted = false;
        const page = await this.#readPage(this.#rows.lastSeq, signal);
        this.#rows.append(page.items);
        if (this.#rows.lastSeq < page.lastSeq && page.items.length > 0) this.#wanted = true;
        this.#set({
          rows: this.#rows.snapshot,
          loading: this.#wanted && this.#rows.snapshot.length === 0,
          ended: page.ended && !this.#wanted,
          error: null,
        });
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#wanted = false;
      this.#set({ ...this.#state, loading: false, error });
    }
  }

  #set(state: FeedState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

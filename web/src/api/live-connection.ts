import type { EventView, TranscriptSignal } from "../../../src/contract/index.ts";
import { INITIAL_LIVE, reduceLive, type LiveAction, type LiveState } from "./live-state.ts";
import { createSseParser, type SseMessage } from "./sse-parser.ts";

/** The server says something at least every 10 s; after this long without a byte the stream counts as dead. */
const SILENCE_MS = 25_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 10_000;

export interface LiveListener {
  readonly onState: (state: LiveState) => void;
  readonly onEvent: (event: EventView) => void;
  readonly onTranscript: (signal: TranscriptSignal) => void;
  /** Calls, keys or providers of the gateway have changed. */
  readonly onGateway: () => void;
  /** Each time the stream stands; `first` is true when nothing was resumed. */
  readonly onHello: (first: boolean) => void;
  /** The server does not know this browser any more. The stream stays closed until `resume`. */
  readonly onSignedOut: () => void;
}

/**
 * The one event stream of the page: reads `GET /api/events`, reconnects with back-off and resumes after the last id
 * that was applied, so no event is missed or applied twice. `sleep` closes it while nobody looks; `wake` resumes.
 */
export class LiveConnection {
  #state: LiveState = INITIAL_LIVE;
  #abort: AbortController | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  readonly #listener: LiveListener;

  constructor(listener: LiveListener) {
    this.#listener = listener;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Opens the stream, also after a pause or a sign-in. Does nothing while it is open. */
  resume(): void {
    if (this.#abort !== null) return;
    this.#apply({ type: "resumed" });
    void this.#open();
  }

  pause(): void {
    this.#apply({ type: "paused" });
    this.#close();
  }

  sleep(): void {
    this.#apply({ type: "asleep" });
    this.#close();
  }

  /** Opens the stream again unless a person paused it. */
  wake(): void {
    if (this.#state.phase !== "paused") this.resume();
  }

  #apply(action: LiveAction): boolean {
    const next = reduceLive(this.#state, action);
    if (next === this.#state) return false;
    this.#state = next;
    this.#listener.onState(next);
    return true;
  }

  #close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#abort?.abort();
    this.#abort = null;
  }

  async #open(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const after = this.#state.lastId;
      const url = after === null ? "/api/events" : `/api/events?after=${encodeURIComponent(after)}`;
      const response = await fetch(url, {
        headers: { accept: "text/event-stream", ...(after === null ? {} : { "last-event-id": after }) },
        credentials: "same-origin",
        signal: abort.signal,
      });
      if (response.status === 401) {
        this.#close();
        this.#listener.onSignedOut();
        return;
      }
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      await this.#read(response.body, abort);
      throw new Error("the stream ended");
    } catch {
      if (this.#abort !== abort) return;
      this.#close();
      this.#apply({ type: "lost" });
      this.#retry = setTimeout(
        () => {
          this.#retry = null;
          void this.#open();
        },
        backoffMs(this.#state.failures, Math.random()),
      );
    }
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const parser = createSseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#abort !== abort) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        this.#apply({ type: "heard", at: Date.now() });
        for (const message of parser.push(decoder.decode(value, { stream: true }))) this.#take(message);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #take(message: SseMessage): void {
    const at = Date.now();
    if (message.event === "hello") {
      const hello = JSON.parse(message.data) as { readonly now: string; readonly lastId: string | null };
      const first = this.#state.lastId === null;
      this.#apply({ type: "hello", at, serverNow: Date.parse(hello.now), lastId: hello.lastId });
      this.#listener.onHello(first);
    } else if (message.event === "event") {
      const event = JSON.parse(message.data) as EventView;
      if (this.#apply({ type: "event", at, id: message.id ?? event.id })) this.#listener.onEvent(event);
    } else if (message.event === "transcript") {
      this.#listener.onTranscript(JSON.parse(message.data) as TranscriptSignal);
    } else if (message.event === "gateway") this.#listener.onGateway();
  }
}

/** Delay before attempt `failures` (1 = first retry): doubles from 250 ms to 10 s, with jitter of ±25 %. */
export function backoffMs(failures: number, random: number): number {
  const base = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(base * (0.75 + random / 2));
}

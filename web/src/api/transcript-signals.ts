import type { TranscriptSignal } from "../../../src/contract/index.ts";

/** Tells the viewers of a run that it has new transcript items. Signals have no id: after a reconnect all look again. */
export class TranscriptSignals {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls `listener` at each signal for the run. Returns the function that ends it. */
  subscribe(runId: string, listener: () => void): () => void {
    const set = this.#listeners.get(runId) ?? new Set();
    set.add(listener);
    this.#listeners.set(runId, set);
    return () => {
      set.delete(listener);
      if (set.size === 0) this.#listeners.delete(runId);
    };
  }

  publish(signal: TranscriptSignal): void {
    for (const listener of this.#listeners.get(signal.runId) ?? []) listener();
  }

  publishAll(): void {
    for (const set of this.#listeners.values()) for (const listener of set) listener();
  }
}

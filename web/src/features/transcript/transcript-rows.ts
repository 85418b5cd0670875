import type { TranscriptBody, TranscriptItem } from "../../../../src/contract/index.ts";

/** One line of the transcript as it is shown: a tool call and a command are one, however many items told of them. */
export interface TranscriptRow {
  /** Stable while the row grows. */
  readonly key: string;
  /** Sequence number of its first item; what a link to it names. */
  readonly seq: number;
  readonly at: string;
  readonly body: TranscriptBody;
  /** Counts the prompts up to here, from 0. */
  readonly turn: number;
}

/** Rows of a run in order, grown by items as they come. Items that are there already are ignored. */
export class TranscriptRows {
  readonly #rows: TranscriptRow[] = [];
  readonly #tools = new Map<string, number>();
  #lastSeq = 0;
  #turn = 0;

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The same array while nothing was added. */
  snapshot: readonly TranscriptRow[] = [];

  append(items: readonly TranscriptItem[]): void {
    const before = this.#lastSeq;
    for (const item of items) {
      if (item.seq <= this.#lastSeq) continue;
      this.#lastSeq = item.seq;
      this.#add(item);
    }
    if (this.#lastSeq !== before) this.snapshot = this.#rows.slice();
  }

  /** Index of the row that a sequence number belongs to; -1 before it has come. */
  indexOf(seq: number): number {
    if (seq > this.#lastSeq) return -1;
    let low = 0;
    let high = this.#rows.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#rows[middle]?.seq ?? 0) <= seq) low = middle;
      else high = middle - 1;
    }
    return this.#rows.length === 0 ? -1 : low;
  }

  #add({ seq, at, body }: TranscriptItem): void {
    if (body.kind === "usage") return;
    if (body.kind === "prompt") this.#turn += 1;
    if (body.kind === "tool") {
      const known = this.#tools.get(body.toolCallId);
      if (known !== undefined) return this.#replace(known, body);
      this.#tools.set(body.toolCallId, this.#rows.length);
    }
    const last = this.#rows.length - 1;
    const joined = joinedWith(this.#rows[last]?.body, body);
    if (joined !== null) return this.#replace(last, joined);
    this.#rows.push({ key: `i${seq}`, seq, at, body, turn: this.#turn });
  }

  #replace(index: number, body: TranscriptBody): void {
    const row = this.#rows[index];
    if (row !== undefined) this.#rows[index] = { ...row, body };
  }
}

/** The body of a row that goes on with `next`; null where `next` begins a row of its own. */
function joinedWith(previous: TranscriptBody | undefined, next: TranscriptBody): TranscriptBody | null {
  if (previous === undefined) return null;
  if (previous.kind === "command" && next.kind === "command") {
    if (previous.command !== next.command || previous.exitCode !== null) return null;
    return { ...next, output: previous.output + next.output };
  }
  if (previous.kind === "permission" && next.kind === "permission")
    return previous.requestId === next.requestId ? next : null;
  return null;
}

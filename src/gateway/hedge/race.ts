import type { OutgoingHttpHeaders } from "node:http";
import { KeptAnswer, type AnswerSink } from "../relay/answer-sink.ts";
import type { EndedBy, Watch } from "../relay/watch.ts";

/** Errors are kept until it is known whether another try does better; good answers pass through, or lose. */
const LARGEST_KEPT_BYTES = 1024 * 1024;

/** Tries of one call at the same time, for the answer of one of them. */
export interface Race {
  /** Whose answer the caller gets; null: nobody's yet. */
  readonly winner: Runner | null;
  /** Another try. */
  enter(): Runner;
  /** The caller gets this one's answer: all others are cancelled. False: somebody has won before. */
  win(runner: Runner): boolean;
  /** The call itself is no longer listened to. */
  end(): void;
}

/**
 * Where one try's answer goes: to the caller once it has won, which a good answer does with its head; an error is kept, for
 * it wins only where nothing better comes.
 */
export interface Runner extends AnswerSink {
  /** Ends when the call does, and when another try has won. */
  readonly watch: Watch;
  /** Gives the caller what was kept. */
  give(): void;
}

/** The head of an answer reaches the caller at once, and at the same moment every other try is cancelled. */
export function createRace(response: AnswerSink, call: Watch): Race {
  const runners = new Set<Running>();
  let winner: Running | null = null;
  call.listener = (why) => {
    for (const runner of runners) runner.stop(why);
  };
  const race: Race = {
    get winner() {
      return winner;
    },
    enter: () => {
      const runner = new Running(race, response, call);
      runners.add(runner);
      return runner;
    },
    win: (runner) => {
      winner ??= [...runners].find((one) => one === runner) ?? null;
      if (winner !== runner) return false;
      for (const other of runners) if (other !== runner) other.stop("gone");
      return true;
    },
    end: () => {
      call.listener = null;
    },
  };
  return race;
}

class Running extends KeptAnswer implements Runner {
  readonly watch: Watch;
  readonly #race: Race;
  readonly #response: AnswerSink;
  readonly #over = new AbortController();
  #ended: EndedBy | null = null;

  constructor(race: Race, response: AnswerSink, call: Watch) {
    super(LARGEST_KEPT_BYTES);
    this.#race = race;
    this.#response = response;
    const ended = (): EndedBy | null => this.#ended ?? call.ended;
    this.watch = {
      get ended() {
        return ended();
      },
      signal: this.#over.signal,
      listener: null,
      stop: () => {},
    };
  }

  /** For the try it is as if its caller had gone away: it frees its connection and tries no more. */
  stop(why: EndedBy): void {
    if (this.#ended !== null) return;
    this.#ended = why;
    this.watch.listener?.(why);
    this.#over.abort();
  }

  give(): void {
    if (this.status === null || this.#response.headersSent) return;
    this.#response.writeHead(this.status, this.headers);
    if (this.writableEnded) this.#response.end(this.bytes());
    else this.#response.destroy();
  }

  override writeHead(status: number, headers: OutgoingHttpHeaders): this {
    super.writeHead(status, headers);
    if (status < 400 && this.#race.win(this)) this.#response.writeHead(status, headers);
    return this;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error) => void): void {
    // The end of the caller's connection is seen by the call's watch.
    if (this.#passes()) this.#response.write(chunk, () => done());
    else super._write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    if (this.#passes()) this.#response.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#passes() && !this.writableEnded) this.#response.destroy();
    done(error);
  }

  #passes(): boolean {
    return this.#race.winner === this && this.#response.headersSent;
  }
}

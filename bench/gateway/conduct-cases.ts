import type { Behaviour, FaultyUpstream } from "../../test/support/faulty-upstream.ts";
import { ANSWER_TEXT } from "../../test/support/faulty-upstream.ts";

/** What a client of a gateway got. */
export interface Got {
  /** 0: no answer within five seconds, or none at all. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Whether the answer reached its end without the connection breaking. */
  readonly clean: boolean;
  readonly ms: number;
}

/** A gateway in front of two providers. */
export interface Subject {
  readonly first: FaultyUpstream;
  readonly second: FaultyUpstream;
  /** `alone`: the first provider only; `routed`: the second where the first one fails. */
  call(route: "alone" | "routed", over?: Readonly<Record<string, unknown>>): Promise<Got>;
  /** A streamed call whose client goes away after the first bytes; gives how long the provider went on, milliseconds. */
  leave(): Promise<number>;
}

export interface ConductCase {
  readonly name: string;
  isRight(subject: Subject): Promise<boolean>;
}

const OK: Behaviour = { do: "answer" };
const status = (code: number, headers: Record<string, string> = {}): Behaviour => ({
  do: "status",
  status: code,
  headers,
});
const STREAM = { stream: true };

const isAnswer = ({ status: code, clean, text }: Got): boolean =>
  code === 200 && clean && text.includes(ANSWER_TEXT);
const isWholeStream = ({ status: code, clean, text }: Got): boolean =>
  code === 200 && clean && text.includes("[DONE]");
/** A client that reads the stream to its end learns that it failed. */
const isErrorAtEnd = ({ clean, text, ms }: Got): boolean =>
  text.includes("Hello") && !text.includes("[DONE]") && (!clean || /"error"/.test(text)) && ms < 3_000;

/** The next provider answers, whatever the first one does. */
const failsOver = (name: string, behaviour: Behaviour, over = {}): ConductCase => ({
  name: `${name}: the next provider answers`,
  isRight: async ({ first, second, call }) => {
    first.plan(behaviour);
    const got = await call("routed", over);
    return ("stream" in over ? isWholeStream(got) : isAnswer(got)) && second.calls.length === 1;
  },
});

const endsAsError = (name: string, behaviour: Behaviour): ConductCase => ({
  name: `${name}: ends as an error, never as success`,
  isRight: async ({ first, call }) => {
    first.plan(behaviour);
    return isErrorAtEnd(await call("alone", STREAM));
  },
});

const neverAgain = (code: number): ConductCase => ({
  name: `${code}: not sent again, and the provider's words pass`,
  isRight: async ({ first, second, call }) => {
    first.plan(status(code));
    const got = await call("routed");
    return (
      got.status === code &&
      got.text.includes("upstream says no") &&
      first.calls.length === 1 &&
      second.calls.length === 0
    );
  },
});

export const CONDUCT_CASES: readonly ConductCase[] = [
  {
    name: "a healthy call",
    isRight: async ({ call }) => isAnswer(await call("alone")),
  },
  {
    name: "a healthy stream arrives whole",
    isRight: async ({ call }) => isWholeStream(await call("alone", STREAM)),
  },
  {
    name: "fields that nobody knows pass untouched",
    isRight: async ({ first, call }) => {
      const over = { a_new_field: { deep: [1, null, "x"] }, tools: [{ type: "a_new_tool_type", x: 1 }] };
      await call("alone", over);
      const sent = JSON.parse(first.calls[0]?.body ?? "{}") as Record<string, unknown>;
      return Object.entries(over).every(
        ([name, value]) => JSON.stringify(sent[name]) === JSON.stringify(value),
      );
    },
  },
  {
    name: "500 once: tried again, the caller sees nothing of it",
    isRight: async ({ first, call }) => {
      first.plan(status(500), OK);
      return isAnswer(await call("alone"));
    },
  },
  {
    name: "500 without end: a bounded number of tries, and SDKs are told not to go on",
    isRight: async ({ first, call }) => {
      first.plan(status(500));
      const got = await call("alone");
      return got.status === 500 && first.calls.length <= 3 && got.headers["x-should-retry"] === "false";
    },
  },
  failsOver("503", status(503)),
  failsOver("503 of a stream", status(503), STREAM),
  failsOver("connection reset", { do: "reset" }),
  failsOver("no answer", { do: "silent" }),
  failsOver("a head and nothing else", { do: "head-only" }, STREAM),
  failsOver("an empty answer", { do: "empty" }),
  failsOver("an empty stream", { do: "empty" }, STREAM),
  failsOver("a page of HTML", { do: "html" }),
  failsOver("an answer that breaks off", { do: "cut" }),
  failsOver("an answer that is no JSON", { do: "malformed" }),
  failsOver("an answer that stalls", { do: "stall" }),
  failsOver("our key is refused", status(401)),
  failsOver("429", status(429, { "retry-after": "30" })),
  neverAgain(400),
  neverAgain(413),
  neverAgain(422),
  {
    name: "Retry-After that is short is waited for",
    isRight: async ({ first, call }) => {
      first.plan(status(429, { "retry-after": "1" }), OK);
      const got = await call("alone");
      return isAnswer(got) && (first.calls[1]?.atMs ?? 0) - (first.calls[0]?.atMs ?? 0) >= 990;
    },
  },
  {
    name: "Retry-After that is long is told to the caller at once",
    isRight: async ({ first, call }) => {
      first.plan(status(429, { "retry-after": "30" }));
      const got = await call("alone");
      return (
        got.status === 429 &&
        got.headers["retry-after"] === "30" &&
        first.calls.length === 1 &&
        got.ms < 1_000
      );
    },
  },
  {
    name: "429 storm: after the first refusal the provider is left alone",
    isRight: async ({ first, call }) => {
      first.plan(status(429, { "retry-after": "30" }));
      await call("alone");
      const asked = first.calls.length;
      const all = await Promise.all(Array.from({ length: 20 }, () => call("alone")));
      return first.calls.length === asked && all.every((got) => got.status === 429);
    },
  },
  {
    name: "a provider that fails again and again is left alone for a while",
    isRight: async ({ first, call }) => {
      first.plan({ do: "reset" });
      for (let count = 0; count < 6; count += 1) await call("alone");
      const asked = first.calls.length;
      const got = await call("alone");
      return first.calls.length === asked && got.status >= 500;
    },
  },
  {
    name: "slow first token: waited for within the limit",
    isRight: async ({ first, second, call }) => {
      first.plan({ do: "slow-first", ms: 150 });
      return isWholeStream(await call("routed", STREAM)) && second.calls.length === 0;
    },
  },
  {
    name: "slow first token: left after the limit",
    isRight: async ({ first, second, call }) => {
      first.plan({ do: "slow-first", ms: 3_000 });
      const got = await call("routed", STREAM);
      return isWholeStream(got) && got.ms < 2_000 && second.calls.length === 1;
    },
  },
  endsAsError("a stream that is cut", { do: "cut" }),
  endsAsError("a stream that stalls", { do: "stall" }),
  endsAsError("a stream that ends early", { do: "early-end" }),
  {
    name: "a malformed chunk: not passed on, ends as an error",
    isRight: async ({ first, call }) => {
      first.plan({ do: "malformed" });
      const got = await call("alone", STREAM);
      return isErrorAtEnd(got) && !got.text.includes('"x"}}\n');
    },
  },
  {
    name: "missing [DONE] of an answer that is finished: complete",
    isRight: async ({ first, call }) => {
      first.plan({ do: "no-done" });
      const got = await call("alone", STREAM);
      return got.status === 200 && got.clean && got.text.includes('"finish_reason":"stop"');
    },
  },
  {
    name: "a client that goes away ends the provider's work within 50 ms",
    isRight: async ({ first, leave }) => {
      first.plan({ do: "stall" });
      // Another program may have had the processor; the best of some says what the gateway does.
      const times: number[] = [];
      for (let count = 0; count < 5; count += 1) times.push(await leave());
      return Math.min(...times) <= 50;
    },
  },
];

import { parseJson } from "../../base/index.ts";
import type { AnswerEvent, PartHead } from "./answer.ts";
import type { Proof } from "./conversation.ts";

interface Waiting {
  readonly key: string;
  readonly part: PartHead;
  text: string;
  ended: boolean;
  proof: Proof | null;
}

/**
 * Puts the parts of a stream one after another: the first that is open goes straight on, what comes for others meanwhile
 * waits. Providers may write parallel tool calls in turns; most callers' dialects cannot.
 */
export function createPartOrder(): {
  start(key: string, part: PartHead): readonly AnswerEvent[];
  delta(key: string, text: string): readonly AnswerEvent[];
  end(key: string, proof?: Proof | null): readonly AnswerEvent[];
  /** Ends what is open, where the dialect does not say so: a tool call only when its JSON is whole. */
  endFinished(): readonly AnswerEvent[];
  endAll(): readonly AnswerEvent[];
  has(key: string): boolean;
} {
  const queue: Waiting[] = [];
  const seen = new Set<string>();

  const settle = (): readonly AnswerEvent[] => {
    const events: AnswerEvent[] = [];
    for (let first = queue[0]; first?.ended === true; first = queue[0]) {
      events.push({ type: "part_end", proof: first.proof });
      queue.shift();
      const next = queue[0];
      if (next !== undefined) events.push({ type: "part", part: next.part }, ...textOf(next.text));
    }
    return events;
  };
  const end = (key: string, proof: Proof | null = null): readonly AnswerEvent[] => {
    const entry = queue.find((one) => one.key === key);
    if (entry === undefined) return [];
    entry.ended = true;
    entry.proof = proof;
    return settle();
  };

  return {
    has: (key) => seen.has(key),
    start: (key, part) => {
      seen.add(key);
      queue.push({ key, part, text: "", ended: false, proof: null });
      return queue.length === 1 ? [{ type: "part", part }] : [];
    },
    delta: (key, text) => {
      const entry = queue.find((one) => one.key === key);
      if (entry === undefined) return [];
      entry.text += text;
      return entry === queue[0] ? textOf(text) : [];
    },
    end,
    endFinished: () => {
      for (const entry of queue)
        entry.ended ||= entry.part.type !== "tool_call" || parseJson(entry.text) !== undefined;
      return settle();
    },
    endAll: () => {
      for (const entry of queue) entry.ended = true;
      return settle();
    },
  };
}

function textOf(text: string): readonly AnswerEvent[] {
  return text === "" ? [] : [{ type: "delta", text }];
}

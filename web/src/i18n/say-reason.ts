import type { Reason } from "../../../src/contract/index.ts";

/** Dictionary branch that a param's words come from; params that are not named here are said as they are. */
const BRANCH_OF: Readonly<Record<string, string>> = {
  error: "reason",
  queue: "role",
  state: "state.task",
  step: "step",
};
/** Params that hold agents by their slot. */
const SLOTS: ReadonlySet<string> = new Set(["slot", "slots"]);

const SHORT_COMMIT = 10;

export interface ReasonWords {
  /** Text of a key with the params filled in; null where the language has no such key. */
  readonly find: (key: string, params: Readonly<Record<string, unknown>>) => string | null;
  /** What stands between the parts of a list. */
  readonly separator: string;
  /** Name of the agent in a slot; the slot itself where nobody knows it. */
  readonly nameOf: (slot: string) => string;
}

/**
 * A reason as a sentence: by its code where the language has it, else the server's own English one. That one also
 * stands where a placeholder found no param: it is complete, a sentence with a gap is not.
 */
export function sayReason(
  { code, message, params }: Pick<Reason, "code" | "message" | "params">,
  words: ReasonWords,
): string {
  const say = (name: string, value: string): string => {
    if (SLOTS.has(name)) return words.nameOf(value);
    if (name === "commit") return value.slice(0, SHORT_COMMIT);
    const branch = BRANCH_OF[name];
    const found = branch === undefined ? null : words.find(`${branch}.${value}`, {});
    if (found !== null && isWhole(found)) return found;
    return name === "error" ? (words.find("reason.run.failed", {}) ?? value) : value;
  };
  const said = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((part) => say(name, part)).join(words.separator)
        : typeof value === "string"
          ? say(name, value)
          : value,
    ]),
  );
  const sentence = words.find(`reason.${code}`, { ...said, message });
  return sentence !== null && isWhole(sentence) ? sentence : message;
}

/** i18next leaves a placeholder in braces where its param is missing. */
function isWhole(sentence: string): boolean {
  return !sentence.includes("{{");
}

import type { ReflectStep } from "./answer-store.ts";
import type { CallEnd, ModelMessage } from "./model-call.ts";

const CRITICISE =
  "Before this goes out, criticise the answer above as a strict expert would: name what is wrong, missing, unclear or beside the question, each with what to do about it, the most serious first. Only the criticism.";
const rewrite = (critique: string): string =>
  `A reviewer says of the answer above:\n\n${critique}\n\nWrite the final answer to my question. Heed what is right in the review. Do not mention the draft or the review.`;

export interface ReflectPorts {
  /** Resolves to false where the answer is no longer to be written. */
  readonly begin: (step: ReflectStep) => Promise<boolean>;
  /** Makes a call; its text goes to `onText` as it comes. */
  readonly call: (messages: readonly ModelMessage[], onText: (text: string) => void) => Promise<CallEnd>;
  /** Text of the final answer. */
  readonly onText: (text: string) => void;
}

/**
 * Draft, critique, final answer: three calls, of which the last is shown as it comes. A step that fails ends it; where the
 * critique says nothing, the final answer is asked for all the same.
 */
export async function reflect(
  messages: readonly ModelMessage[],
  { begin, call, onText }: ReflectPorts,
): Promise<CallEnd> {
  const ended: CallEnd = { outcome: "aborted" };
  let draft = "";
  if (!(await begin("draft"))) return ended;
  const drafted = await call(messages, (text) => (draft += text));
  if (drafted.outcome === "failed" || drafted.outcome === "aborted") return drafted;
  const shown: readonly ModelMessage[] = [...messages, { role: "assistant", content: draft }];
  let critique = "";
  if (!(await begin("critique"))) return ended;
  const criticised = await call(
    [...shown, { role: "user", content: CRITICISE }],
    (text) => (critique += text),
  );
  if (criticised.outcome === "failed" || criticised.outcome === "aborted") return criticised;
  if (!(await begin("final"))) return ended;
  return call([...shown, { role: "user", content: rewrite(critique) }], onText);
}

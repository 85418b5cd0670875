import type { Capability } from "./route-settings.ts";

const MARKS: readonly (readonly [Capability, readonly string[]])[] = [
  ["tools", ['"tools":[{', '"tools": [{', '"functionDeclarations"', '"function_declarations"']],
  [
    "images",
    ['"image_url"', '"input_image"', '"inlineData"', '"inline_data"', '"type":"image"', '"type": "image"'],
  ],
  ["thinking", ['"thinking"', '"reasoning"', '"reasoning_effort"', '"thinkingConfig"']],
  ["json", ['"json_schema"', '"json_object"', '"responseSchema"', '"responseMimeType"']],
];
/** About 100,000 tokens of English; models with a window of 128,000 get no more. */
const LONG_BYTES = 400_000;

/** What a request seems to need, from words in its bytes: a hint for routing, never a reason to refuse. */
export function needsOf(body: Buffer): ReadonlySet<Capability> {
  const needs = new Set<Capability>();
  for (const [capability, marks] of MARKS)
    if (marks.some((mark) => body.includes(mark))) needs.add(capability);
  if (body.length > LONG_BYTES) needs.add("long-context");
  return needs;
}

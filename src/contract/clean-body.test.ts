import { expect, test } from "vitest";
import { cleanBody } from "./clean-body.ts";

test("a body is bounded in every part", () => {
  const long = "x".repeat(1_000_000);
  const body = cleanBody(
    {
      kind: "tool",
      toolCallId: long,
      title: long,
      tool: "edit",
      status: "completed",
      input: long,
      output: long,
      diffs: Array.from({ length: 500 }, () => ({ path: long, oldText: null, newText: long })),
    },
    (text, maxBytes) => text.slice(0, maxBytes),
  );
  expect(JSON.stringify(body).length).toBeLessThan(3_000_000);
});

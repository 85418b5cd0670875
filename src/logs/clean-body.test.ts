import { expect, test } from "vitest";
import { cleanBody, cleanText, cutText } from "./clean-body.ts";

test("terminal sequences, control characters and broken characters do not get into text", () => {
  const cases: readonly (readonly [dirty: string, clean: string])[] = [
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bP1;2|data\u001b\\after", "after"],
    ["\u009b2Jcleared", "cleared"],
    ["a\u0000b\u0008c\u007fd", "abcd"],
    ["one\r\ntwo\rthree\n\tfour", "one\ntwo\nthree\n\tfour"],
    ["half \ud800 pair", "half \ufffd pair"],
    ["if (a\u202e) {", "if (a\ufffd) {"],
    ["雅 😀", "雅 😀"],
    ["\u001b", ""],
    ["\u001b[", ""],
  ];
  for (const [dirty, clean] of cases) expect(cleanText(dirty), JSON.stringify(dirty)).toBe(clean);
});

test("an unfinished title sequence takes nothing but the line it could have been in", () => {
  expect(cleanText("\u001b]0;never ended")).toBe("");
});

test("text is cut at a character", () => {
  const cut = cutText("雅".repeat(1_000), 100);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(100);
  expect(cut).toMatch(/^雅+\n… \(cut\)$/);
  expect(cutText("short", 100)).toBe("short");
});

test("a body is bounded in every part", () => {
  const long = "x".repeat(1_000_000);
  const body = cleanBody({
    kind: "tool",
    toolCallId: long,
    title: long,
    tool: "edit",
    status: "completed",
    input: long,
    output: long,
    diffs: Array.from({ length: 500 }, () => ({ path: long, oldText: null, newText: long })),
  });
  expect(JSON.stringify(body).length).toBeLessThan(3_000_000);
});

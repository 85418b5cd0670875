import { describe, expect, test } from "vitest";
import { visibleText, visibleTitle } from "../../src/sources/github/issue-text.ts";
import { CARRIERS, HIDDEN, HIDDEN_TEXT, KEPT, SHOWN } from "./hidden-text.ts";

describe("what a page does not show is not in the text that an agent gets", () => {
  test.each(HIDDEN_TEXT)("%s", (_, body) => {
    const text = visibleText(body);
    expect(text).not.toContain(HIDDEN);
    expect(text).not.toMatch(CARRIERS);
    expect(text).not.toMatch(/&(?:#|Zero|zw)|\u001b/);
    expect(text).toContain(SHOWN);
  });
});

describe("what a page shows stays", () => {
  test.each(KEPT)("%s", (_, body) => expect(visibleText(body)).toBe(body));
});

test("a title is one line of what is seen", () => {
  expect(visibleTitle("Price\u200b list\n\n# \u{e0041}Map<string, number>")).toBe(
    "Price list # Map<string, number>",
  );
});

test.each([
  ["tags that never end", '<a "'.repeat(16_000)],
  ["images that never end", "![".repeat(32_000)],
  ["labels that never end", "[\n".repeat(32_000)],
  ["backticks", "`".repeat(65_000)],
  ["fences and blank lines", "<a\n\n```\n\n".repeat(6_000)],
  ["dollars", "$ ".repeat(32_000)],
  ["hidden elements", "<b hidden>".repeat(6_500)],
  ["footnotes", "[^1]: a\n\n".repeat(7_000)],
  ["containers", "> - 1. ".repeat(9_000)],
])("the longest body that GitHub takes is read within a second: %s", (_, body) => {
  const started = performance.now();
  visibleText(body);
  expect(performance.now() - started).toBeLessThan(1_000);
});

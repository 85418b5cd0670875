import { expect, test } from "vitest";
import { splitBlocks } from "./split-blocks.ts";

test.each([
  ["paragraphs", "one\n\ntwo\nmore\n\nthree", ["one\n\n", "two\nmore\n\n", "three"]],
  ["a paragraph after a list", "- a\n\n- b\n\nend", ["- a\n\n- b\n\n", "end"]],
  ["text after code", "```ts\na\n\nb\n```\n\nend", ["```ts\na\n\nb\n```\n\n", "end"]],
  ["text after a formula", "$$\na\n\nb\n$$\n\nend", ["$$\na\n\nb\n$$\n\n", "end"]],
])("splits %s", (_, text, parts) => {
  expect(splitBlocks(text)).toEqual(parts);
});

test.each([
  ["a list with blank lines", "1. a\n\n2. b\n\n   more"],
  ["code that is still being written", "```\na\n\nb"],
  ["code with shorter fences inside", "````\n```\n\nb\n```\n\nc"],
  ["a formula between brackets", "\\[\na\n\nb"],
  ["what refers to a definition", "see [x]\n\n[x]: https://example.org"],
  ["nothing", ""],
])("keeps %s together", (_, text) => {
  expect(splitBlocks(text)).toEqual([text]);
});

import { expect, test } from "vitest";
import { mathDelimiters } from "./math-delimiters.ts";

test.each([
  ["between \\( and \\)", "so \\( x^2 \\) is", "so $x^2$ is"],
  ["between \\[ and \\]", "\\[ a\n= b \\]", "\n$$\na\n= b\n$$\n"],
  ["between dollars", "so $2x+1$ is", "so $2x+1$ is"],
  ["between two dollars", "$$\na $ b\n$$", "$$\na $ b\n$$"],
])("a formula %s is one", (_, text, expected) => {
  expect(mathDelimiters(text)).toBe(expected);
});

test.each([
  ["two amounts", "$5 or $10", "\\$5 or \\$10"],
  ["amounts side by side", "$5/$10", "\\$5/\\$10"],
  ["a dollar that was escaped", "\\$5", "\\$5"],
  ["a formula that is still being written", "so $x^2", "so \\$x^2"],
  ["dollars in code", "`$a$` and ```sh\necho $HOME \\(x\\)\n```", "`$a$` and ```sh\necho $HOME \\(x\\)\n```"],
  ["dollars in code that is still being written", "```sh\necho $A $B", "```sh\necho $A $B"],
])("%s: no formula", (_, text, expected) => {
  expect(mathDelimiters(text)).toBe(expected);
});

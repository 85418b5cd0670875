import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "../src/phrases.js";

test("guests are welcomed", () => {
  assert.equal(greet("welcome"), "Welcome!");
});

test("an unknown occasion is refused", () => {
  assert.throws(() => greet("eclipse"), RangeError);
});

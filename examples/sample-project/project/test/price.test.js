import assert from "node:assert/strict";
import { test } from "node:test";
import { formatYen } from "../src/price.js";

test("prices have a yen sign and a comma at each thousand", () => {
  assert.equal(formatYen(0), "¥0");
  assert.equal(formatYen(600), "¥600");
  assert.equal(formatYen(1200), "¥1,200");
  assert.equal(formatYen(1234567), "¥1,234,567");
});

test("an amount that is no whole number of yen is refused", () => {
  assert.throws(() => formatYen(1.5), RangeError);
  assert.throws(() => formatYen(-1), RangeError);
});

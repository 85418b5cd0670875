import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMenu } from "../src/menu.js";

test("the menu lists every item with its price", () => {
  const menu = formatMenu("Kaede Tea House", [
    { name: "Matcha", yen: 600 },
    { name: "Sakura mochi", yen: 450 },
  ]);
  assert.equal(
    menu,
    ["Kaede Tea House", "---------------", "Matcha ....... ¥600", "Sakura mochi . ¥450"].join("\n"),
  );
});

test("an empty menu is only a title", () => {
  assert.equal(formatMenu("Closed", []), "Closed\n------");
});

import { expect, test } from "vitest";
import { annotationsIn } from "./annotations.ts";

const FILES = new Set(["src/menu.ts", "src/[id]/page.tsx", "tests/test_price.py", "README.md", "menu.txt"]);
const places = (text: string): readonly string[] =>
  annotationsIn(text, "failure", FILES).map(({ path, line }) => `${path}:${line}`);

test("finds the places that tools and people name, in files that the commit has", () => {
  expect(
    places(
      [
        "src/menu.ts:12:5 - error TS2322: Type 'string' is not assignable to type 'number'.",
        "src/menu.ts(7,3): error TS2304: Cannot find name 'yen'.",
        '  File "tests/test_price.py", line 3, in test_price',
        "    at Object.<anonymous> (/work/clone/src/menu.ts:40:11)",
        "\u001B[31m❯\u001B[39m ./src/[id]/page.tsx:9:1",
        "- In README.md:2 the price is missing",
        "menu.txt:1: say it in yen",
      ].join("\n"),
    ),
  ).toEqual([
    "src/menu.ts:12",
    "src/menu.ts:7",
    "tests/test_price.py:3",
    "src/menu.ts:40",
    "src/[id]/page.tsx:9",
    "README.md:2",
    "menu.txt:1",
  ]);
});

test("what only looks like a place is none, and a line that comes again is one remark", () => {
  expect(places("at 10:30 it ended\nhttp://example.org:80/x\nlib/other.ts:3: x\nsrc/menu.ts:0: x")).toEqual(
    [],
  );
  expect(places("src/menu.ts:3: x\nsrc/menu.ts:3: x")).toEqual(["src/menu.ts:3"]);
  const many = Array.from({ length: 300 }, (_, index) => `src/menu.ts:${index + 1}: x`).join("\n");
  expect(places(many)).toHaveLength(200);
});

import { expect, test } from "vitest";
import { changedLines } from "./changed-lines.ts";

const show = (oldText: string | null, newText: string): string =>
  changedLines({ oldText, newText })
    .map(({ kind, text }) => `${{ same: " ", removed: "-", added: "+" }[kind]}${text}`)
    .join("|");

test("shows what changed with two lines around it", () => {
  expect(show("1\n2\n3\n4\n5\n6\n7\n", "1\n2\n3\nX\nY\n5\n6\n7\n")).toBe(" 2| 3|-4|+X|+Y| 5| 6");
});

test("shows a new file, a removed text and no change", () => {
  expect(show(null, "a\nb")).toBe("+a|+b");
  expect(show("a\nb\n", "")).toBe("-a|-b");
  expect(show("a\n", "a\n")).toBe(" a");
});

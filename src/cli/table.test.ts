import { describe, expect, it } from "vitest";
import { fit, oneLine, plain, table, widthOf } from "./table.ts";

describe("widthOf", () => {
  it.each([
    ["abc", 3],
    ["カエデ", 6],
    ["令和8年", 7],
    ["\u001b[31mred\u001b[39m", 3],
    ["か\u3099", 2],
    ["🍁", 2],
    ["𠮷", 2],
    ["ﾊﾝｶｸ", 4],
  ])("of %j is %i", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

describe("table", () => {
  it("aligns columns by display width and leaves the last one ragged", () => {
    const text = table(
      [
        ["agent", "name", "task"],
        ["kaede", "カエデ", "T1"],
        ["sakura", "Sakura", ""],
      ],
      null,
    );
    expect(text).toBe("agent   name    task\nkaede   カエデ  T1\nsakura  Sakura");
  });

  it("cuts the last column to the terminal, but never to nothing", () => {
    const rows = [["T1", "お品書きを日本語で表示する、とても長い題名"]];
    expect(widthOf(table(rows, 30))).toBeLessThanOrEqual(30);
    expect(widthOf(table(rows, 5))).toBeGreaterThan(15);
  });

  it("is nothing without rows", () => {
    expect(table([], null)).toBe("");
  });
});

it("cuts text between characters, with an ellipsis", () => {
  expect(fit("カエデ", 6)).toBe("カエデ");
  expect(fit("カエデ", 5)).toBe("カエ…");
});

it("takes terminal sequences, control characters and direction marks out of what others wrote", () => {
  expect(plain("a\u001b]0;title\u0007b\u001b[2Jc\u0000d\u202ee\nf\tg\r")).toBe("abcde\nf\tg");
  expect(oneLine(" a\n  b\tc ")).toBe("a b c");
});

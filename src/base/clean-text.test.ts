import { describe, expect, it } from "vitest";
import { cleanText, cutText } from "./clean-text.ts";

describe("cleanText", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bPq#0\u001b\\after", "after"],
    ["\u001bP1;2|data\u001b\\after", "after"],
    ["\u009b2Jcleared", "cleared"],
    ["a\u0000b\u0008c\u007fd", "abcd"],
    ["if (a\u202e) {\u2066 c", "if (a\ufffd) {\ufffd c"],
    ["\ufeffright\u200f", "right"],
    ["half \ud800 pair", "half \ufffd pair"],
    ["one\r\ntwo\rthree\n\tfour", "one\ntwo\nthree\n\tfour"],
    ["雅 😀 日本語", "雅 😀 日本語"],
    ["\u001b", ""],
    ["\u001b[", ""],
    ["\u001b]0;never ended", ""],
  ])("turns %j into %j", (dirty, clean) => {
    expect(cleanText(dirty)).toBe(clean);
  });
});

describe("cutText", () => {
  it("keeps what fits", () => {
    expect(cutText("short", 5)).toBe("short");
    expect(cutText("雅".repeat(10), 30)).toBe("雅".repeat(10));
  });

  it("keeps whole characters and says how much is missing", () => {
    const cut = cutText("雅".repeat(1_000), 100);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(100);
    const [, kept = "", missing] = /^(雅+)\n… \((\d+) more bytes\)$/.exec(cut) ?? [];
    expect(kept.length * 3 + Number(missing)).toBe(3_000);
  });

  it("leaves what is cut already as it is", () => {
    const cut = cutText("x".repeat(70_000), 65_536);
    expect(cutText(cut, 65_536)).toBe(cut);
  });

  it("says nothing where there is no room for it", () => {
    expect(cutText("雅雅雅", 4)).toBe("雅");
  });
});

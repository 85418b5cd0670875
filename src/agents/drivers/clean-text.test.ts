import { describe, expect, it } from "vitest";
import { cleanText, createTail, cutText } from "./clean-text.ts";

describe("cleanText", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bPq#0\u001b\\after", "after"],
    ["\u009b2Jx", "x"],
    ["a\u202eb\u2066c\u0000d", "abcd"],
    ["one\r\ntwo\rthree\ttab 日本語", "one\ntwo\nthree\ttab 日本語"],
  ])("turns %j into %j", (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });
});

describe("cutText", () => {
  it("keeps whole characters", () => {
    expect(cutText("雅雅雅", 4)).toBe("雅\n… (6 more bytes)");
    expect(cutText("short", 5)).toBe("short");
  });
});

describe("createTail", () => {
  it("keeps the last bytes of a flood", () => {
    const tail = createTail(10);
    for (let index = 0; index < 5_000; index += 1) tail.push(Buffer.from(`${index},`));
    expect(tail.text()).toBe("4998,4999,");
  });
});

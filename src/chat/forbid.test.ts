import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createForbidFilter } from "./forbid.ts";

/** All that is shown of a text that comes in these pieces, and what ended it. */
function run(phrases: readonly string[], pieces: readonly string[]) {
  const filter = createForbidFilter(phrases);
  let text = "";
  for (const piece of pieces) {
    const checked = filter.push(piece);
    text += checked.text;
    if (checked.forbidden !== null) return { text, forbidden: checked.forbidden };
  }
  const last = filter.end();
  return { text: text + last.text, forbidden: last.forbidden };
}

describe("a phrase is found", () => {
  test.each([
    ["whatever its case", ["best practice"], "The BEST Practice is", "The "],
    ["whatever the white space", ["best practice"], "a best\n  practice here", "a "],
    ["in full width", ["ai"], "これはＡＩです", "これは"],
    ["with invisible characters inside", ["guarantee"], "I guar\u200bantee it", "I "],
    ["inside Japanese, which has no spaces", ["絶対に"], "それは絶対に大丈夫", "それは"],
    ["in half-width katakana with its mark apart", ["ガ"], "これはｶﾞです", "これは"],
    ["as the last word", ["never"], "say never", "say "],
    ["as the whole text", ["never"], "never", ""],
  ])("%s", (_, phrases, text, shown) => {
    expect(run(phrases, [text])).toEqual({ text: shown, forbidden: phrases[0] });
    expect(run(phrases, Array.from(text))).toEqual({ text: shown, forbidden: phrases[0] });
  });
});

describe("a text is let through whole", () => {
  test.each([
    ["where the phrase is part of a word", ["nit"], "unit and nitrogen"],
    ["where only its beginning is there", ["best practice"], "my best pract"],
    ["with an accent that comes late", ["cafe"], "cafe\u0301 au lait"],
    ["without phrases", [], "anything"],
  ])("%s", (_, phrases, text) => {
    expect(run(phrases, [text])).toEqual({ text, forbidden: null });
    expect(run(phrases, Array.from(text))).toEqual({ text, forbidden: null });
  });
});

test("nothing is held back that cannot become a phrase", () => {
  const filter = createForbidFilter(["best practice"]);
  expect(filter.push("Hello there. ").text).toBe("Hello there.");
  expect(filter.push("It is the best").text).toBe(" It is the ");
  expect(filter.push(" of all.").text).toBe("best of all");
});

test("after an interruption it goes on with the word that was begun", () => {
  const filter = createForbidFilter(["nit"], "u");
  expect(filter.push("nit.").forbidden).toBe(null);
});

test("however a text is cut into pieces, the same is shown of it", () => {
  const piece = fc.string({
    unit: fc.constantFrom("a", "b", " ", "\n", "が", "か", "\u3099", "A", "Ａ", "é", "😀"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      (pieces, given) => {
        const phrases = given.map((one) => one.trim()).filter((one) => one !== "");
        const whole = run(phrases, [pieces.join("")]);
        expect(run(phrases, pieces)).toEqual(whole);
        expect(pieces.join("").startsWith(whole.text)).toBe(true);
      },
    ),
  );
});

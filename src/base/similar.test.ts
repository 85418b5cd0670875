import { describe, expect, test } from "vitest";
import { closestWord } from "./similar.ts";

describe("closestWord", () => {
  test.each([
    ["prot", ["port", "team", "hosts"], "port"],
    ["roel", ["name", "role", "kind"], "role"],
    ["Gatway", ["gateway", "agents"], "gateway"],
    ["zzz", ["port", "team"], null],
    ["", ["a"], "a"],
    ["x".repeat(5_000), ["port"], null],
  ])("takes %j for the nearest of %j", (word, known, expected) => {
    expect(closestWord(word, known)).toBe(expected);
  });
});

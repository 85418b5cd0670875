import { describe, expect, test, vi } from "vitest";
import { contentTexts } from "./content-texts.ts";
import { createRetention, type Embed } from "./retention.ts";

const VECTORS: Readonly<Record<string, readonly number[]>> = {
  apple: [2, 0],
  ruby: [3, 0],
  night: [0, 5],
  "": [],
};
const embed = (): Embed => vi.fn<Embed>(async (texts) => texts.map((text) => VECTORS[text] ?? [0, 0]));
const SCOPE = "m";

describe("retention", () => {
  test("is the cosine of what a conversation means before and after", async () => {
    const retentionOf = createRetention();
    const of = (before: readonly string[], after: readonly string[]) =>
      retentionOf({ before, after, embed: embed(), scope: SCOPE });
    expect(await of(["apple", "night"], ["apple", "night"])).toBeCloseTo(1, 5);
    // What says the same as what stays is no loss.
    expect(await of(["apple", "ruby"], ["apple"])).toBeCloseTo(1, 5);
    expect(await of(["apple", "night"], ["apple"])).toBeCloseTo(Math.SQRT1_2, 5);
    expect(await of(["night"], ["apple"])).toBeCloseTo(0, 5);
    expect(await of(["apple"], [])).toBeNull();
  });

  test("weighs texts by their length and takes long ones in pieces", async () => {
    const made = vi.fn<Embed>(async (texts) => texts.map((text) => (text.startsWith("a") ? [1, 0] : [0, 1])));
    const retention = await createRetention()({
      before: ["a".repeat(5_000), "b".repeat(500)],
      after: ["a".repeat(5_000)],
      embed: made,
      scope: SCOPE,
    });
    expect(retention).toBeCloseTo(10 / Math.hypot(10, 1), 4);
    expect(made.mock.calls[0]?.[0].map((text) => text.length)).toEqual([2_000, 1_000, 500]);
  });

  test("embeds a text once for each model", async () => {
    const retentionOf = createRetention();
    const made = embed();
    const params = { before: ["apple", "night"], after: ["apple"], embed: made };
    await retentionOf({ ...params, scope: "one" });
    await retentionOf({ ...params, before: ["apple", "night", "ruby"], scope: "one" });
    await retentionOf({ ...params, scope: "two" });
    expect(vi.mocked(made).mock.calls).toEqual([[["apple", "night"]], [["ruby"]], [["apple", "night"]]]);
  });

  test.each([
    ["nothing", null],
    ["too few", []],
    ["no numbers", [[Number.NaN, 1]]],
  ])("is not measured where the provider gives %s", async (_, given) => {
    const made: Embed = async () => given;
    expect(
      await createRetention()({ before: ["apple"], after: ["apple"], embed: made, scope: SCOPE }),
    ).toBeNull();
  });

  test("is not measured where that would be too much", async () => {
    const made = embed();
    const before = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    expect(await createRetention()({ before, after: ["apple"], embed: made, scope: SCOPE })).toBeNull();
    expect(made).not.toHaveBeenCalled();
  });
});

test("what is said in messages is their texts, without names of things and without data", () => {
  const body = {
    messages: [
      { role: "user", content: "hello" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "c2ln" },
          { type: "tool_use", id: "t1", name: "read", input: { path: "a.txt" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "image", source: { data: "AAAA" } },
          { type: "text", text: "日本" },
        ],
      },
    ],
  };
  expect(contentTexts(Buffer.from(JSON.stringify(body)), "messages")).toEqual([
    "hello",
    "hm\nread\na.txt",
    "日本",
  ]);
  expect(contentTexts(Buffer.from('{"messages":[1,null,"x"]}'), "messages")).toEqual(["", "", "x"]);
});

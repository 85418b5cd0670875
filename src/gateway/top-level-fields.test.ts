import { describe, expect, test } from "vitest";
import { modelOf, outputLimitOf, wantsStream, withModel } from "./top-level-fields.ts";

describe("modelOf", () => {
  test.each([
    ['{"model":"claude-x","messages":[]}', "claude-x"],
    ['{"messages":[{"model":"inner","content":"{\\"model\\":\\"quoted\\"}"}], "model" : "gpt-5"}', "gpt-5"],
    ['{"a":"model","b":"\\\\","model":"m\\u00e9\\"x"}', 'mé"x'],
    ['{"system":"日本語 \\" ] } ","model":"日本"}', "日本"],
    ['{"messages":[]}', null],
    ['{"model":5}', null],
    ['["model","x"]', null],
    ['{"model":"cut', null],
    ["", null],
    ["not json at all", null],
  ])("of %s is %s", (body, model) => {
    expect(modelOf(Buffer.from(body))).toBe(model);
  });

  test("passes a megabyte of one character and of backslashes quickly", () => {
    const body = `{"a":"${"x".repeat(1e6)}","b":"${"\\\\".repeat(5e5)}","model":"m"}`;
    expect(modelOf(Buffer.from(body))).toBe("m");
  });
});

describe("withModel", () => {
  test("changes the name and no other byte", () => {
    const body = '{ "a": {"model":"inner"},\n "model" :\t"old" , "z":[1.0,"日本"]}';
    expect(withModel(Buffer.from(body), 'n"w').toString()).toBe(body.replace('"old"', '"n\\"w"'));
    expect(withModel(Buffer.from("[]"), "x").toString()).toBe("[]");
  });
});

test("limits and the wish for a stream are read at the top level only", () => {
  const body = Buffer.from('{"messages":[{"max_tokens":9,"stream":true}],"max_tokens": 512,"stream":false}');
  expect(outputLimitOf(body)).toBe(512);
  expect(wantsStream(body)).toBe(false);
  expect(wantsStream(Buffer.from('{"stream":true}'))).toBe(true);
  expect(outputLimitOf(Buffer.from('{"max_output_tokens":null}'))).toBeNull();
});

test("Gemini's limit is read in its own object", () => {
  const limit = (text: string): number | null => outputLimitOf(Buffer.from(text));
  expect(
    limit('{"contents":[{"maxOutputTokens":9}],"generationConfig" : {"a":{"b":1},"maxOutputTokens":700}}'),
  ).toBe(700);
  expect(limit('{"generation_config":{"max_output_tokens":800}}')).toBe(800);
  expect(limit('{"generationConfig":{"topK":1},"tools":{"maxOutputTokens":9}}')).toBeNull();
  expect(
    limit('{"contents":[{"parts":[{"text":"\\"generationConfig\\":{\\"maxOutputTokens\\":9}"}]}]}'),
  ).toBeNull();
});

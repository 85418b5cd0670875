import { describe, expect, test } from "vitest";
import { modelOf } from "./request-body.ts";

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

import { describe, expect, test } from "vitest";
import { chooseModel, modelToTry } from "./models.ts";
import { TOOLS } from "./tools/index.ts";

const OFFERED = [
  "text-embedding-3-large",
  "gpt-4.1",
  "gpt-5-mini",
  "gpt-5.10",
  "gpt-5.9",
  "gpt-image-1",
  "claude-opus-4-5",
  "claude-haiku-4-5",
  "claude-sonnet-4-5",
  "gemini-2.5-flash",
];

describe("the model of a tool", () => {
  test("is its own choice where the gateway has one of its models, or nothing yet", () => {
    expect(chooseModel(TOOLS.claude, OFFERED)).toBeNull();
    expect(chooseModel(TOOLS.codex, OFFERED)).toBeNull();
    expect(chooseModel(TOOLS.gemini, [])).toBeNull();
  });

  test("is the newest large one in the dialect that it speaks best", () => {
    expect(chooseModel(TOOLS.aider, OFFERED)).toBe("gpt-5.10");
    expect(chooseModel(TOOLS.aider, ["claude-opus-4-5", "claude-sonnet-4-5"])).toBe("claude-sonnet-4-5");
    expect(chooseModel(TOOLS.claude, ["qwen3-embedding", "llama4", "qwen3-coder"])).toBe("qwen3-coder");
    expect(chooseModel(TOOLS.opencode, ["gpt-5-nano"])).toBe("gpt-5-nano");
    expect(chooseModel(TOOLS.copilot, [])).toBe("gpt-5");
  });

  test("is tried with a small one of those that it knows", () => {
    expect(modelToTry(TOOLS.claude, OFFERED)).toBe("claude-haiku-4-5");
    expect(modelToTry(TOOLS.codex, OFFERED)).toBe("gpt-5-mini");
    expect(modelToTry(TOOLS.gemini, ["gpt-5"])).toBeNull();
  });
});

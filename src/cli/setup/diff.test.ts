import { describe, expect, test } from "vitest";
import { diffLines, withoutSecrets } from "./diff.ts";

describe("a diff", () => {
  test("shows what changed with two lines around it", () => {
    const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].join("\n");
    const after = ["1", "2", "3", "4", "five", "6", "7", "8", "9", "10"].join("\n");
    expect(diffLines(before, after)).toEqual([
      "@@",
      " 3",
      " 4",
      "-5",
      "+five",
      " 6",
      " 7",
      " 8",
      " 9",
      "+10",
    ]);
    expect(diffLines(before, before)).toEqual([]);
    expect(diffLines("", "a\nb\n")).toEqual(["+a", "+b"]);
    expect(diffLines("a\n", "")).toEqual(["-a"]);
  });

  test("of large files is made all the same", () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => String(index));
    expect(diffLines(lines.join("\n"), lines.toReversed().join("\n"))).toHaveLength(6_000);
  });

  test.each([
    [`"ANTHROPIC_API_KEY": "whatever it is",`, `"ANTHROPIC_API_KEY": "•••",`],
    ["openai-api-key: abc def", "openai-api-key: •••"],
    ["export GITHUB_TOKEN='x'", "export GITHUB_TOKEN='•••'"],
    [`authorization = "Bearer x"`, `authorization = "•••"`],
    [`url: https://me:secret@host/x`, `url: https://me:•••@host/x`],
    [`"args": ["--pass", "sk-ant-1234567"]`, `"args": ["--pass", "•••"]`],
  ])("hides the secret of %s", (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
  });

  test.each([
    `env_key = "MIYABI_GATEWAY_KEY"`,
    "apiKey: ${{ secrets.MIYABI_GATEWAY_KEY }}",
    `"max_tokens": 100`,
    `"token": {`,
    `base_url = "http://127.0.0.1:8000/v1"`,
  ])("shows %s", (line) => {
    expect(withoutSecrets(line)).toBe(line);
  });
});

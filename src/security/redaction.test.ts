import { describe, expect, test } from "vitest";
import { createRedaction, redactJson } from "./redaction.ts";

const redact = createRedaction([]);
const RUN_KEY = "Zx81kTq_-aB3cD4eF5gH6iJ7kL8mN9oP0qR1sT2uV3w";

describe("redaction", () => {
  test.each([
    "mk-abcdefghij",
    "sk-ant-api03-abcdefgh",
    "ghp_0123456789abcdef",
    "github_pat_11AAAAAA0abc",
    "xoxb-12345-abcdef",
    "AIzaSyA1234567890",
    "AKIAIOSFODNN7EXAMPLE",
    `npm_${"a1".repeat(18)}`,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    `AGE-SECRET-KEY-1${"Q".repeat(58)}`,
    RUN_KEY,
    "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nnever ended",
  ])("takes %s out, wherever it stands", (secret) => {
    for (const text of [secret, `before ${secret}`, `"${secret}"`, `(${secret})`, `x=${secret} `]) {
      const shown = redact(text);
      expect(shown).toContain("[redacted]");
      expect(shown).not.toContain(secret.slice(4, 16));
    }
  });

  test.each([
    ["DATABASE_URL=postgres://miyabi:hunter2@db/x", "DATABASE_URL=postgres://miyabi:[redacted]@db/x"],
    ["Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]"],
    ["MY_API_KEY=abc123defg4", "MY_API_KEY=[redacted]"],
    ['{\\"password\\": \\"correct-horse\\"}', '{\\"password\\": \\"[redacted]\\"}'],
    ["token = 'abcdefgh12'", "token = '[redacted]'"],
  ])("takes out what is named a secret: %s", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  test.each([
    "the token is spent; a task-management tool",
    '{"max_tokens": 12345678, "total_tokens":1000000000}',
    "password: z.string().min(8)",
    "const token = process.env.GITHUB_TOKEN;",
    "0123456789abcdef0123456789abcdef01234567890",
    "https://example.org/a:b@c",
    "パスワードは変えません。",
  ])("leaves what is none: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  test("takes out what an installation says, and what is known", () => {
    const own = createRedaction([/\bKUNDE-\d+/g], ["very secret $1"]);
    expect(own("KUNDE-77 has very secret $1 things")).toBe("[redacted] has [redacted] things");
  });

  test("goes through JSON by its texts and names of fields", () => {
    const value = {
      a: ["sk-ant-abcdefgh", 1, null, true],
      api_key: "plain",
      tokens: 5,
      "sk-ant-abcdefgh": "",
    };
    expect(redactJson(value, redact)).toEqual({
      a: ["[redacted]", 1, null, true],
      api_key: "[redacted]",
      tokens: 5,
      "[redacted]": "",
    });
    let deep: unknown = "sk-ant-abcdefgh";
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
    expect(JSON.stringify(redactJson(deep, redact))).not.toContain("sk-");
  });

  test("takes no time that grows with the square of the text", () => {
    const startedMs = performance.now();
    for (const unit of [
      "a",
      "a-",
      "token",
      "token=",
      "://a:",
      "-----BEGIN PRIVATE KEY-----",
      "eyJaaaaaaaaa.",
      "Bearer ",
    ])
      redact(unit.repeat(Math.ceil(500_000 / unit.length)));
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });
});

import { describe, expect, it } from "vitest";
import { classifyFailure, classifyNotice, parseResetTime } from "./failure.ts";

const now = new Date("2026-11-21T10:00:00Z");

describe("parseResetTime", () => {
  it.each([
    ["Claude AI usage limit reached|1795262400", "2026-11-21T12:00:00.000Z"],
    ["You've hit your limit · resets 3pm (UTC)", "2026-11-21T15:00:00.000Z"],
    ["You've hit your limit · resets 8am (Asia/Tokyo)", "2026-11-21T23:00:00.000Z"],
    ["5-hour limit reached ∙ resets 10:30am", "2026-11-21T10:30:00.000Z"],
    ["limit reached, resets 9am", "2026-11-22T09:00:00.000Z"],
    ["You've hit your usage limit. Try again in 3 days 4 hours 5 minutes.", "2026-11-24T14:05:00.000Z"],
    ["or try again at Nov 21st, 2026 3:15 PM.", "2026-11-21T15:15:00.000Z"],
    ["Please retry in 34.5s.", "2026-11-21T10:00:34.500Z"],
    ['{"retryDelay": "20s"}', "2026-11-21T10:00:20.000Z"],
    ["retry-after: 30", "2026-11-21T10:00:30.000Z"],
    ["resets at 2026-11-21T11:00:00Z", "2026-11-21T11:00:00.000Z"],
  ])("reads %j", (text, expected) => {
    expect(parseResetTime(text, now)?.toISOString()).toBe(expected);
  });

  it.each([
    "usage limit reached",
    "resets 3pm (Moon/Base)",
    "limit reached|1000000000",
    "try again in 400 days",
  ])("finds nothing in %j", (text) => {
    expect(parseResetTime(text, now)).toBeNull();
  });
});

describe("classifyFailure", () => {
  it.each([
    ["429 Too Many Requests", "quota"],
    ["RESOURCE_EXHAUSTED", "quota"],
    ["insufficient_quota", "quota"],
    ["401 Unauthorized", "authentication"],
    ["Invalid API key · Please run /login", "authentication"],
    ["ENOENT: no such file", "other"],
  ])("calls %j %s", (text, kind) => {
    expect(classifyFailure(text, now).kind).toBe(kind);
  });
});

describe("classifyNotice", () => {
  it("recognises a provider's notice", () => {
    expect(classifyNotice("You've hit your limit · resets 3pm", now)?.kind).toBe("quota");
    expect(
      classifyNotice("Working.\n\nexceeded retry limit, last status: 429 Too Many Requests", now)?.kind,
    ).toBe("quota");
    expect(classifyNotice("API Error: 401 invalid x-api-key", now)?.kind).toBe("authentication");
  });

  it("leaves an agent's own words about limits alone", () => {
    expect(classifyNotice("I added a test for the usage limit: 429 is retried after 30 s.", now)).toBeNull();
    expect(classifyNotice(`You've hit your limit ${"x".repeat(500)}`, now)).toBeNull();
  });
});

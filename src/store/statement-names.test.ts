import { describe, expect, it } from "vitest";
import { createStatementNames } from "./statement-names.ts";

const asked = (names: { nameOf(sql: string): string | undefined }, sql: string, times: number) =>
  Array.from({ length: times }, () => names.nameOf(sql)).at(-1);

describe("names of statements", () => {
  it("are given to what comes again and again, and stay", () => {
    const names = createStatementNames();
    expect(asked(names, "select 1", 4)).toBeUndefined();
    const name = names.nameOf("select 1");
    expect(name).toBeDefined();
    expect(names.nameOf("select 1")).toBe(name);
    expect(asked(names, "select 2", 5)).not.toBe(name);
  });

  it("are limited, however many texts there are", () => {
    const names = createStatementNames();
    const given = new Set(Array.from({ length: 5_000 }, (_, n) => asked(names, `select ${n}`, 6)));
    expect(given.size).toBe(201); // 200 names and none
  });

  it("are others after a renewal, so that no connection takes an old plan for a new one", () => {
    const names = createStatementNames();
    const before = asked(names, "select 1", 5);
    names.renew();
    expect(names.nameOf("select 1")).toBeUndefined();
    expect(asked(names, "select 1", 4)).not.toBe(before);
  });
});

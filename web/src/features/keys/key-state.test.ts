import { expect, test } from "vitest";
import type { GatewayKeyView } from "../../../../src/contract/index.ts";
import { parseKeySearch } from "./key-search.ts";
import { fitsKeySearch, keyState } from "./key-state.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const key = (over: Partial<GatewayKeyView> = {}): GatewayKeyView => ({
  id: "K3",
  name: "Aider of mika",
  kind: "tool",
  team: "web",
  taskId: null,
  models: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgetDayMicros: null,
  budgetMonthMicros: null,
  budgetTaskMicros: null,
  cache: false,
  expiresAt: null,
  start: "mk-abcdefg",
  createdAt: "2026-11-01T00:00:00Z",
  createdBy: "cli",
  revokedAt: null,
  ...over,
});
const REVOKED = key({ revokedAt: "2026-11-20T00:00:00Z" });
const EXPIRED = key({ expiresAt: "2026-11-21T12:00:00Z" });

test("a key is over when it is revoked or its time has come", () => {
  expect(keyState(key(), NOW)).toBe("active");
  expect(keyState(key({ expiresAt: "2026-11-21T12:00:01Z" }), NOW)).toBe("active");
  expect(keyState(EXPIRED, NOW)).toBe("expired");
  expect(keyState(REVOKED, NOW)).toBe("revoked");
});

test("keys are looked for by state, kind and text; active ones where nothing is said", () => {
  const shown = (search: object, one = key()) => fitsKeySearch(one, parseKeySearch({ ...search }), NOW);
  expect([shown({}), shown({}, REVOKED), shown({}, EXPIRED)]).toEqual([true, false, false]);
  expect([shown({ state: "ended" }), shown({ state: "ended" }, EXPIRED)]).toEqual([false, true]);
  expect(shown({ state: "all" }, REVOKED)).toBe(true);
  expect([shown({ kind: "tool" }), shown({ kind: "person" })]).toEqual([true, false]);
  expect([shown({ q: "MIKA" }), shown({ q: "k3" }), shown({ q: "mk-abc" }), shown({ q: "nobody" })]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("what does not fit the URL is dropped", () => {
  expect(parseKeySearch({ state: "active", kind: "robot", q: "  " })).toEqual({});
  expect(parseKeySearch({ state: "all", kind: "team", q: " x " })).toEqual({
    state: "all",
    kind: "team",
    q: "x",
  });
});

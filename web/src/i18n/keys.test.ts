import path from "node:path";
import { expect, test } from "vitest";
import { shippedTeam } from "../../../src/agents/team/index.ts";
import { ERROR_KINDS } from "../../../src/base/index.ts";
import { CHAT_REASONS } from "../../../src/chat/reasons.ts";
import { EVENT_TYPES, STEP_KINDS, TASK_CLASSES, TASK_STATES } from "../../../src/contract/index.ts";
import { ADVICE } from "../../../src/tasks/advice.ts";
import { CAUSES } from "../../../src/tasks/model.ts";
import { LOOKS } from "../ui/state-look.ts";
import { en } from "./en/index.ts";
import { advice } from "./ja/advice.ts";
import { ja } from "./ja/index.ts";
import { baseOf, flatten, gapsOf, readSources, usedKeys } from "./keys-fixture.ts";

const WEB = path.join(import.meta.dirname, "..");
const SERVER = path.join(WEB, "../../src");
const english = flatten(en);
// Reasons have no English entry: the server says them in English.
const { reason: reasons, ...rest } = ja;
const japanese = flatten(rest);
const japaneseReasons = flatten({ reason: reasons });
const bases = (texts: ReadonlyMap<string, string>): string[] =>
  [...new Set([...texts.keys()].map(baseOf))].sort();

/** The history looks these up by the names and values of an event's data: no source names them even in part. */
const DYNAMIC = /^history\.cause\./;

test("both languages have the same keys", () => {
  expect(bases(japanese)).toEqual(bases(english));
});

test("a plural has both forms in English and one in Japanese", () => {
  for (const key of english.keys()) {
    const base = baseOf(key);
    if (base === key) continue;
    expect(english.has(`${base}_one`) && english.has(`${base}_other`), key).toBe(true);
    expect(japanese.has(`${base}_other`) && !japanese.has(`${base}_one`), key).toBe(true);
  }
});

test("both languages have the same placeholders and tags", () => {
  for (const [key, text] of english) {
    const other = japanese.get(key) ?? japanese.get(`${baseOf(key)}_other`) ?? "";
    expect(gapsOf(other), key).toEqual(gapsOf(text));
  }
});

test("every key that the sources name exists, and no key is unused", async () => {
  const sources = await readSources(WEB);
  const namespaces = Object.keys(ja);
  const known = new Set([...bases(english), ...bases(japaneseReasons)]);
  const missing: string[] = [];
  const used = new Set<string>();
  let calls = 0;
  for (const [file, source] of sources) {
    if (file.startsWith("i18n/en/") || file.startsWith("i18n/ja/")) continue;
    const { whole, patterns } = usedKeys(source, namespaces);
    calls += whole.size;
    for (const key of whole) {
      if (known.has(key)) used.add(key);
      else missing.push(`${file}: ${key}`);
    }
    for (const [text, pattern] of patterns) {
      const fitting = [...known].filter(
        (key) => pattern.test(key) || pattern.test(key.replace(/^reason\./, "")),
      );
      if (fitting.length === 0) missing.push(`${file}: ${text}`);
      for (const key of fitting) used.add(key);
    }
  }
  expect(calls).toBeGreaterThan(150);
  expect(missing).toEqual([]);
  expect([...known].filter((key) => !used.has(key) && !DYNAMIC.test(key))).toEqual([]);
});

test("every state, event, step kind, class and shipped role has a word", () => {
  const wanted = [
    ...Object.entries(LOOKS).flatMap(([domain, looks]) =>
      Object.keys(looks).map((state) => `state.${domain}.${state}`),
    ),
    ...TASK_STATES.map((state) => `state.task.${state}`),
    ...EVENT_TYPES.map((type) => `history.type.${type}`),
    ...CAUSES.map((cause) => `history.cause.${cause}`),
    ...STEP_KINDS.filter((kind) => kind !== "agent").map((kind) => `step.${kind}`),
    // The agent steps of the default workflow.
    "step.implement",
    "step.review",
    ...TASK_CLASSES.map((one) => `common.class.${one}`),
    ...["miyabi", "boss"].flatMap((name) =>
      shippedTeam(name).members.flatMap(({ role, takes }) =>
        [role, ...takes].map((queue) => `role.${queue}`),
      ),
    ),
    ...["approve", "blocked", "changes", "done"].map((verdict) => `verdict.${verdict}`),
  ];
  expect(
    wanted.filter((key) => !english.has(key) || !japanese.has(key)),
    "a new value of the contract needs its word in both languages, in web/src/i18n",
  ).toEqual([]);
});

test("every reason and error of the server can be said in Japanese", async () => {
  const codes = new Set([...Object.keys(ERROR_KINDS), ...Object.keys(ADVICE), ...Object.keys(CHAT_REASONS)]);
  for (const source of (await readSources(SERVER)).values()) {
    for (const [, code = ""] of source.matchAll(/\b(?:because|failed|failure)\(\s*"([a-z_]+\.[a-z_]+)"/g))
      codes.add(code);
  }
  expect(codes.size).toBeGreaterThan(100);
  expect(
    [...codes].filter((code) => !japaneseReasons.has(`reason.${code}`)),
    "a new code needs its Japanese sentence in web/src/i18n/ja/reason.ts",
  ).toEqual([]);
});

test("all advice for tasks can be said in Japanese, and none that the server no longer gives is kept", async () => {
  const sentences = Object.values(ADVICE)
    .flatMap((give) => give("T1"))
    .filter((text) => !text.startsWith("miyabi "));
  expect(sentences.filter((text) => advice[text] === undefined)).toEqual([]);
  const sources = [...(await readSources(SERVER)).values()].join("\n");
  expect(Object.keys(advice).filter((text) => !sources.includes(text))).toEqual([]);
});

test("no English is left in Japanese but names and code", () => {
  // The switch names the other language in that language.
  const foreign = new Set(["nav.language", "nav.short.en", "nav.short.ja"]);
  const names = /\b(?:API|CI|EN|Enter|GitHub|ID|JSON|Markdown|MiB|Miyabi|P[012]|Redis|Shift|URL|git|tmux)\b/g;
  for (const [key, text] of [...japanese, ...japaneseReasons]) {
    if (foreign.has(key)) continue;
    const bare = text.replace(/\{\{\w+\}\}|<\/?\w+>/g, "").replace(names, "");
    expect(bare, key).not.toMatch(/[A-Za-z]{2,}/);
    if (/^[\s\p{P}\p{S}\d]*$/u.test(bare)) continue;
    expect(text, key).not.toBe(english.get(key));
    expect(bare, key).toMatch(/[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u);
  }
});

import i18next from "i18next";
import { expect, test } from "vitest";
import { en } from "./en/index.ts";
import { ja } from "./ja/index.ts";
import { sayReason } from "./say-reason.ts";

async function setup(language: "en" | "ja") {
  const i18n = i18next.createInstance();
  await i18n.init({
    resources: { en: { translation: en }, ja: { translation: ja } },
    lng: language,
    fallbackLng: "en",
    interpolation: { escapeValue: false },
  });
  const t = i18n.t as unknown as (key: string, params: object) => string;
  const say = (code: string, params = {}, message = "The server's sentence.") =>
    sayReason(
      { code, message, params },
      {
        find: (key, values) => (i18n.exists(key) ? t(key, values) : null),
        separator: t("common.comma", {}),
        nameOf: (slot) => (slot === "kaede" ? "カエデ" : slot),
      },
    );
  return { say, t };
}

test("English takes the server's own sentence, the same as on the command line", async () => {
  const { say } = await setup("en");
  expect(say("dependency.not_merged", { tasks: ["T1"] })).toBe("The server's sentence.");
});

test("Japanese says the code, with names, steps and roles in Japanese", async () => {
  const { say } = await setup("ja");
  expect(say("dependency.not_merged", { tasks: ["T1", "T2"] })).toBe(
    "先行タスク T1、T2 のマージを待っています。",
  );
  expect(say("run.working", { slot: "kaede", step: "implement", minutes: 5 })).toBe(
    "カエデが「実装」を進めています（5 分経過）。",
  );
  expect(say("queue.ahead", { queue: "code", position: 3 })).toContain("実装の待機列で 3 番目");
  expect(say("task.merged", { commit: "0123456789abcdef", target: "main" })).toContain("0123456789 として");
});

test("a step or a role of an own workflow stays as it is named", async () => {
  const { say } = await setup("ja");
  expect(say("queue.nobody", { queue: "painter", step: "paint", known: ["code"] })).toBe(
    "ステップ「paint」に必要な役割（painter）のエージェントが、チームにいません。",
  );
});

test("a person's or an agent's own words are kept", async () => {
  const { say } = await setup("ja");
  expect(say("agent.blocked", {}, "鍵が必要です。")).toMatch(/報告がありました。鍵が必要です。$/);
});

test("a cause is said in Japanese; one whose words are missing counts as a failed run", async () => {
  const { say } = await setup("ja");
  expect(say("retry.until", { error: "run.timeout" })).toContain(
    "前回の結果: 制限時間内に終わりませんでした。",
  );
  for (const error of ["brand.new", "dependency.cycle", "queue.ahead"])
    expect(say("retry.until", { error })).toContain("前回の結果: 実行に失敗しました。");
});

test("an unknown code, or a param that is missing, gives the server's sentence", async () => {
  const { say } = await setup("ja");
  expect(say("brand.new")).toBe("The server's sentence.");
  expect(say("queue.ahead", { queue: "code" })).toBe("The server's sentence.");
});

test("a count takes its plural form", async () => {
  const [english, japanese] = await Promise.all([setup("en"), setup("ja")]);
  expect(english.t("tasks.total", { count: 1 })).toBe("1 task");
  expect(english.t("tasks.total", { count: 2 })).toBe("2 tasks");
  expect(japanese.t("tasks.total", { count: 1 })).toBe("全 1 件");
});

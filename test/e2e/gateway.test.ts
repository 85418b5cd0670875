import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overflowsSideways, shoot, violations } from "../support/browser.ts";
import { startChatModel, type ChatModel } from "../support/chat-model.ts";
import { describeInChromium, setupConsole, useModel } from "../support/console.ts";
import { createInstallation, eventually, freePort } from "../support/installation.ts";

let model: ChatModel;
afterAll(() => model?.close());
const ui = setupConsole(async () => {
  model = await startChatModel();
  const product = await createInstallation();
  // A call of the stand-in takes 12 tokens in and 2 out: $1.40.
  await useModel(
    product,
    model,
    `    down: { kind: openai-compatible, baseUrl: "http://127.0.0.1:${await freePort()}/v1", models: [nobody] }
    ours: { kind: openai-compatible, baseUrl: "${model.origin}/v1", models: ["house-*"] }
  aliases: { fast: gpt-5-mini, house: house-1 }
  routes:
    coder: { targets: [{ provider: down, model: gpt-5 }, { provider: openai, model: gpt-5 }] }
  prices: { gpt-5: { input: 100000, output: 100000 } }
  retry: { attempts: 0 }
  breaker: { failures: 2, openMs: 120000 }
  prompts: { store: true }
  budgets: { monthUsd: 1000, teams: { web: { dayUsd: 1 } } }
`,
  );
  return product;
});
const { at, open } = ui;
const PAGES = ["calls", "keys", "budgets", "providers", "prices"] as const;
const row = (page: Page, text: string) => page.locator("li.m-gateway-row", { hasText: text });

interface Ask {
  readonly key: string;
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly turns?: number;
}

/** A call through the gateway as a tool makes it. */
async function ask({ key, model: name = "gpt-5", headers = {}, turns = 1 }: Ask): Promise<number> {
  const said = "and so the story went on, from one day to the next. ".repeat(turns > 1 ? 40 : 1);
  const messages = Array.from({ length: turns * 2 - 1 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: said,
  }));
  const { status, body } = await fetch(at("/v1/chat/completions"), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: name, stream: false, messages }),
  });
  await body?.pipeTo(new WritableStream());
  return status;
}

describeInChromium("the pages of the gateway", () => {
  let key = "";
  beforeAll(async () => {
    const terms = { name: "editor of mika", kind: "tool", team: "web", budgetDayMicros: 20_000_000 };
    ({ key } = await ui.product.post<{ key: string }>("/api/gateway/keys", terms));
    await ui.product.post("/api/gateway/keys", { name: "never used", models: ["gpt-*"], cache: true });
  });

  test("a key is made in a form, shown once, used, seen at once, and ended", async () => {
    const { page, complaints } = await open();
    await page.goto(at("/gateway/keys?q=aider"));
    await page.getByText("No key fits this filter.").waitFor();
    await page.getByRole("button", { name: "New key" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Name").fill("aider");
    await form.getByLabel("Allowed models").fill("gpt-*");
    await page.keyboard.press("Enter");
    await form.getByLabel("Budget a day").fill("5");
    await form.getByLabel("Requests a minute").fill("60");
    await form.getByRole("button", { name: "Make the key" }).click();
    const made = (await form.locator("code").first().textContent()) ?? "";
    expect(made).toMatch(/^mk-/);
    await form.getByRole("button", { name: "I have kept it" }).click();
    const aider = row(page, "aider");
    await aider.getByText("gpt-*", { exact: true }).waitFor();
    await aider.getByText("60 requests/min").waitFor();
    await aider.getByText("Never used").waitFor();
    expect(await page.content()).not.toContain(made);

    // From the answer to the screen.
    expect(await ask({ key: made })).toBe(200);
    const started = performance.now();
    await aider.getByText("$1.40 of $5.00").waitFor({ timeout: 10_000 });
    expect(performance.now() - started).toBeLessThan(2_000);
    for (let calls = 0; calls < 2; calls += 1) expect(await ask({ key: made })).toBe(200);
    await aider.getByText("nearly used up").waitFor({ timeout: 10_000 });
    expect(await ask({ key: made })).toBe(200);
    await aider.getByText("used up: calls are refused").waitFor({ timeout: 10_000 });
    expect(await ask({ key: made })).toBe(429);

    await aider.getByRole("button", { name: /^Revoke K\d+ aider$/ }).click();
    await page.getByRole("dialog").getByText("This cannot be undone").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("No key fits this filter.").waitFor();
    expect(await ask({ key: made })).toBe(401);
    await page.getByText("Ended", { exact: true }).click();
    await aider.getByText("Revoked").waitFor();
    expect(new URL(page.url()).searchParams.get("state")).toBe("ended");
    expect(complaints).toEqual([]);
  });

  test("budgets show what is used, whose they are, and lead to it", async () => {
    const { page } = await open();
    await page.goto(at("/gateway/budgets"));
    for (const text of ["This installation", "web", "editor of mika"])
      await row(page, text).first().waitFor();
    await page.locator(".m-filters").getByText("Keys", { exact: true }).click();
    await expect.poll(() => row(page, "This installation").count()).toBe(0);
    expect(new URL(page.url()).searchParams.get("scope")).toBe("key");
    await page.getByRole("link", { name: /editor of mika/ }).click();
    await expect.poll(() => row(page, "editor of mika").count()).toBe(1);
  });

  test("a provider that fails is said to be out, with why; a key makes another one ready", async () => {
    const { page } = await open();
    for (let calls = 0; calls < 2; calls += 1) expect(await ask({ key, model: "down/gpt-5" })).toBe(502);
    await page.goto(at("/gateway/providers"));
    await row(page, "down").getByText("Failing").waitFor();
    await row(page, "down").getByText("2 failed (100 %)").waitFor();
    const anthropic = row(page, "Anthropic");
    await anthropic.getByText("No key", { exact: true }).waitFor();
    await anthropic.getByRole("button", { name: "Set the key: anthropic" }).click();
    await page.getByRole("dialog").getByLabel(/^Key/).fill("sk-ant-secret");
    await page.getByRole("dialog").getByRole("button", { name: "Seal the key" }).click();
    await anthropic.getByText("Ready").waitFor();
    await anthropic.getByText("Key sealed in the database").waitFor();
    await page.getByRole("rowheader", { name: "bedrock" }).waitFor();
  });

  test("prices say where they are from, and a price that nobody knows how to set it", async () => {
    const { page } = await open();
    await page.goto(at("/gateway/prices"));
    const of = (name: string) => page.locator("tbody tr", { hasText: name });
    await of("gpt-5-mini").getByText("Price list").waitFor();
    await of("gpt-5-mini").getByText("fast").waitFor();
    await of("coder").first().getByText("Your settings").waitFor();
    await of("house-1").getByText("Unknown").waitFor();
    await page.getByText(/^What house-1 costs is not known/).waitFor();
    await page.goto(at("/gateway/prices?q=nothing"));
    await page.getByText("No price fits this filter.").waitFor();
  });

  test("a call's details tell its way, its tokens and price, and the steps of its chain", async () => {
    const made = await ui.product.post<{ id: string; key: string }>("/api/gateway/keys", { name: "details" });
    expect(await ask({ key: made.key, model: "coder" })).toBe(200);
    expect(await ask({ key: made.key, headers: { "x-miyabi-chain": "reflect" } })).toBe(200);
    expect(await ask({ key: made.key, headers: { "x-miyabi-trim": "1024" }, turns: 12 })).toBe(200);
    await eventually("they are in the ledger", 10_000, async () => {
      const found = await ui.product.get<{ items: object[] }>(`/api/gateway/calls?key=${made.id}`);
      return found?.items.length === 5;
    });
    const { page } = await open();
    await page.goto(at(`/gateway/calls?key=${made.id}`));
    const opened = page.locator(".m-calls-more");
    const details = page.getByRole("button", { name: /^Details of the call/ });
    // Newest first: trimmed, final, critique, draft, routed.
    await details.nth(0).click();
    await opened.getByText("Compress ratio").waitFor();
    await opened.getByText("Your settings").waitFor();
    await details.nth(1).click();
    for (const step of ["Draft", "Critique", "Final answer"])
      await opened.getByRole("cell", { name: step, exact: true }).waitFor();
    expect(await opened.locator(".m-chain tbody tr").count()).toBe(3);
    await details.nth(4).click();
    await opened.getByText("by the route coder").waitFor();
    await opened.getByText("down/gpt-5").waitFor();
    await opened.getByText("openai/gpt-5").first().waitFor();
    await opened.getByRole("button", { name: "Show it" }).click();
    await opened.getByText("and so the story went on").first().waitFor();
  });

  for (const language of ["en", "ja"] as const)
    for (const theme of ["light", "dark"] as const)
      test(`are accessible, fit a phone and are in one language (${language}, ${theme})`, async () => {
        const { page, complaints } = await open({ language, theme });
        for (const one of PAGES) {
          await page.goto(at(`/gateway/${one}`));
          await page.locator("h1").waitFor();
          await expect.poll(() => page.locator("[aria-busy=true]").count(), { timeout: 10_000 }).toBe(0);
          if (one === "calls") await page.locator("tbody tr button").nth(1).click();
          expect([one, await violations(page)]).toEqual([one, []]);
          for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            expect([one, await overflowsSideways(page)]).toEqual([one, false]);
          }
          await shoot(page, `${one}-${language}-${theme}`);
          await page.setViewportSize({ width: 1440, height: 900 });
        }
        expect(complaints).toEqual([]);
      });
});

import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  chromiumPath,
  openBrowser,
  openWindow,
  overflowsSideways,
  signIn,
  violations,
} from "../support/browser.ts";
import { startChatModel, type ChatModel } from "../support/chat-model.ts";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";

let product: TestInstallation;
let model: ChatModel;
let browser: Browser;

const at = (route: string): string => `http://localhost:${product.port}${route}`;
const open = async (viewer: Parameters<typeof openWindow>[1]): ReturnType<typeof openWindow> => {
  const window = await openWindow(browser, viewer);
  await signIn(window.page, product);
  return window;
};

/** A call through the gateway as a tool makes it. */
async function ask(key: string, name: string): Promise<number> {
  const { status, body } = await fetch(at("/v1/chat/completions"), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: name, stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  await body?.pipeTo(new WritableStream());
  return status;
}

// In continuous integration a missing browser is a failure, not a reason to look away.
describe.skipIf(chromiumPath === null && process.env["CI"] === undefined)("the page of model calls", () => {
  beforeAll(async () => {
    model = await startChatModel();
    product = await createInstallation();
    await writeFile(
      path.join(product.home, "miyabi.yaml"),
      `gateway:\n  providers:\n    openai: { baseUrl: "${model.origin}/v1" }\n`,
    );
    await writeFile(path.join(product.home, ".env"), "OPENAI_API_KEY=sk-test\n", { mode: 0o600 });
    product.up();
    browser = await openBrowser();
    await eventually("the product answers", 40_000, () => product.get("/api/status"));
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await product?.destroy();
    await model?.close();
  });

  test("says what to do before the first call, and shows calls and sums as they come", async () => {
    const { page, complaints, context } = await open({ language: "en", theme: "light" });
    await page.goto(at("/calls"));
    await page.getByText("setup --all").waitFor();
    const { key } = await product.post<{ key: string }>("/api/gateway/keys", { name: "aider", kind: "tool" });
    for (let call = 0; call < 3; call += 1) expect(await ask(key, "gpt-5")).toBe(200);
    expect(await ask(key, "gpt-5-mini")).toBe(200);
    const rows = page.locator("tbody tr");
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(4);

    await page.getByPlaceholder("Model").click();
    await page.getByRole("option", { name: "gpt-5-mini" }).click();
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(1);
    expect(new URL(page.url()).searchParams.get("model")).toBe("gpt-5-mini");
    await page.reload();
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(1);
    await page.getByRole("button", { name: "Details of the call to gpt-5-mini" }).click();
    await page.getByText("chat_completions").waitFor();
    await page.goto(at("/calls?task=T999"));
    await page.getByText("No call fits this filter.").waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  for (const language of ["en", "ja"] as const)
    for (const theme of ["light", "dark"] as const)
      test(`is accessible and fits a phone (${language}, ${theme})`, async () => {
        const { page, context, complaints } = await open({ language, theme });
        await page.goto(at("/calls"));
        await page.locator("tbody tr button").first().click();
        expect(await violations(page)).toEqual([]);
        const shots = process.env["MIYABI_SCREENSHOTS"];
        if (shots !== undefined)
          await page.screenshot({ path: path.join(shots, `calls-${language}-${theme}.png`), fullPage: true });
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await overflowsSideways(page)).toBe(false);
        expect(complaints).toEqual([]);
        await context.close();
      });
});

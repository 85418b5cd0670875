import { afterAll, expect, test } from "vitest";
import { overflowsSideways, violations } from "../support/browser.ts";
import { startChatModel, type ChatModel } from "../support/chat-model.ts";
import { describeInChromium, setupConsole, useModel } from "../support/console.ts";
import { createInstallation } from "../support/installation.ts";

let model: ChatModel;
afterAll(() => model?.close());
const ui = setupConsole(async () => {
  model = await startChatModel();
  const product = await createInstallation();
  await useModel(product, model);
  return product;
});
const { at, open } = ui;

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

describeInChromium("the page of model calls", () => {
  test("says what to do before the first call, and shows calls and sums as they come", async () => {
    const { page, complaints } = await open();
    await page.goto(at("/gateway/calls"));
    await page.getByText("setup --all").waitFor();
    const { key } = await ui.product.post<{ key: string }>("/api/gateway/keys", {
      name: "aider",
      kind: "tool",
    });
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
  });

  for (const language of ["en", "ja"] as const)
    for (const theme of ["light", "dark"] as const)
      test(`is accessible and fits a phone (${language}, ${theme})`, async () => {
        const { page, complaints } = await open({ language, theme });
        await page.goto(at("/gateway/calls"));
        await page.locator("tbody tr button").first().click();
        expect(await violations(page)).toEqual([]);
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await overflowsSideways(page)).toBe(false);
        expect(complaints).toEqual([]);
      });
});

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeEach, expect, test } from "vitest";
import { overflowsSideways, violations } from "../support/browser.ts";
import { startChatModel, type ChatModel } from "../support/chat-model.ts";
import { describeInChromium, setupConsole, useModel } from "../support/console.ts";
import { createInstallation, type TestInstallation } from "../support/installation.ts";

let model: ChatModel;
afterAll(() => model?.close());
const chatPort = ({ port }: TestInstallation): number => port + 1;
const ui = setupConsole(async () => {
  model = await startChatModel();
  const product = await createInstallation();
  await useModel(product, model, `chat: { port: ${chatPort(product)} }\n`);
  await mkdir(path.join(product.home, "personas"));
  await writeFile(
    path.join(product.home, "personas", "careful.yaml"),
    "name: Careful\nstyle: Careful.\nforbid: [絶対に大丈夫]\n",
  );
  return product;
});
const { at } = ui;

const RICH = [
  "| Price | Tax |\n| --- | --- |\n| 100 | 10 |\n\n",
  "So \\( p_g = p_n (1 + r) \\), at most $5 or $10.\n\n",
  "```ts\nconst gross = Math.floor(net * 1.1);\n```\n\n- [x] tests",
];

const field = (page: Page) => page.getByRole("textbox", { name: /^(Message|メッセージ)$/ });
const answers = (page: Page, state: string) => page.locator(`.m-chat-answer[data-state=${state}]`);

async function open(viewer: Parameters<typeof ui.open>[0] = {}) {
  const window = await ui.open(viewer);
  await window.page.goto(at("/chat"));
  await field(window.page).waitFor();
  return window;
}

async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
}

const controlPlane = async (): Promise<number> =>
  (await ui.product.processes()).find(({ args }) => args.includes("control-plane"))?.pid ?? 0;

describeInChromium("the chat in Chromium", () => {
  beforeEach(() => {
    model.release();
    model.pieceMs = 0;
    model.reply = () => ["Hello", " there."];
  });

  test("a thread begins with a persona and a first message, and its answer comes with what it took", async () => {
    const { page, complaints } = await open();
    for (const name of ["Architect", "Careful", "Reviewer", "Tutor", "校閲", "棟梁"])
      await page.getByRole("radio", { name }).waitFor();
    await page.getByRole("radio", { name: "Architect" }).check();
    model.reply = () => RICH;
    await say(page, "How is the tax computed?");
    const answer = answers(page, "complete");
    await answer.getByRole("table").getByText("100").waitFor();
    await answer.locator(".katex").first().waitFor();
    expect(await answer.textContent()).toContain("at most $5 or $10.");
    await answer.getByRole("button", { name: "Copy the code" }).waitFor();
    await answer.getByText("gpt-5 · 12 tokens in, 3 out").waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/chat\/C\d+$/);
    await page.getByRole("link", { name: /How is the tax computed\?.*Architect/ }).waitFor();
    expect(JSON.stringify(model.calls.at(-1)?.messages[0])).toContain("Architect");
    expect(complaints).toEqual([]);
  });

  test("an Enter that ends a Japanese composition does not send, the next one does", async () => {
    const { page, context } = await open();
    const calls = model.calls.length;
    const input = await context.newCDPSession(page);
    await field(page).focus();
    await input.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
    // As browsers tell it during a composition, and as Safari does just after its end.
    for (const windowsVirtualKeyCode of [13, 229])
      await input.send("Input.dispatchKeyEvent", {
        type: "rawKeyDown",
        key: "Enter",
        code: "Enter",
        windowsVirtualKeyCode,
      });
    expect(await field(page).inputValue()).toBe("にほん");
    await input.send("Input.insertText", { text: "日本" });
    expect(await field(page).inputValue()).toBe("日本");
    expect([model.calls.length, new URL(page.url()).pathname]).toEqual([calls, "/chat"]);
    await field(page).press("Shift+Enter");
    await field(page).press("Enter");
    await answers(page, "complete").waitFor();
    expect(model.calls.length).toBe(calls + 1);
  });

  test("a reload in the middle of an answer loses nothing and repeats nothing", async () => {
    const { page } = await open();
    model.reply = () => ["one ", "two ", "three ", "four"];
    model.holdAfter = 2;
    await say(page, "Count");
    await answers(page, "streaming").getByText("one two").waitFor();
    await page.reload();
    await answers(page, "streaming").getByText("one two").waitFor();
    model.release();
    await answers(page, "complete").getByText("one two three four", { exact: true }).waitFor();
  });

  test("a killed control plane is noticed, and the answer is finished after its return", async () => {
    const { page } = await open();
    model.reply = ({ messages }) =>
      messages.at(-2)?.content === "one two " ? ["three ", "four"] : ["one ", "two ", "lost"];
    model.holdAfter = 2;
    await say(page, "Count");
    await answers(page, "streaming").getByText("one two").waitFor();
    model.holdAfter = null;
    process.kill(await controlPlane(), "SIGKILL");
    await page.getByText(/^The connection is gone/).waitFor();
    const answer = answers(page, "complete");
    await answer.getByText("one two three four", { exact: true }).waitFor({ timeout: 30_000 });
    await answer.getByText("continued after an interruption").waitFor();
    expect(await page.getByText(/^The connection is gone/).count()).toBe(0);
  });

  test("what a persona must not say is never shown", async () => {
    const { page } = await open();
    await page.getByRole("radio", { name: "Careful" }).check();
    model.reply = () => ["それは絶", "対に", "大丈夫です。"];
    await say(page, "Is it safe?");
    const answer = answers(page, "withheld");
    await answer.getByText("It ends here: Careful must not say").waitFor();
    expect(await answer.locator(".m-chat-rich").textContent()).toBe("それは");
    const id = new URL(page.url()).pathname.split("/").at(-1);
    const kept = await page.evaluate(
      async (thread) => (await fetch(`/api/chat/threads/${thread}`)).json() as Promise<unknown>,
      id,
    );
    expect(kept).toMatchObject({ messages: [{}, { content: "それは", state: "withheld" }] });
  });

  test("an edited question and a new answer are branches to go back and forth between", async () => {
    const { page } = await open();
    model.reply = ({ messages }) => [`On ${String(messages.at(-1)?.content)}.`];
    await say(page, "apples");
    await answers(page, "complete").getByText("On apples.").waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("textbox", { name: "Edit" }).fill("pears");
    await page.locator(".m-chat-edit").getByRole("button", { name: "Send" }).click();
    await answers(page, "complete").getByText("On pears.").waitFor();
    await page.getByText("2 / 2").waitFor();
    expect(await page.locator(".m-chat-bubble").allTextContents()).toEqual(["pears"]);
    await page.getByRole("button", { name: "Previous branch" }).click();
    await answers(page, "complete").getByText("On apples.").waitFor();
    model.reply = () => ["Apples again."];
    await page.getByRole("button", { name: "Write it again" }).click();
    await answers(page, "complete").getByText("Apples again.").waitFor();
    expect(await page.getByText(/^[12] \/ 2$/).allTextContents()).toEqual(["1 / 2", "2 / 2"]);
  });

  test("an answer can be stopped, and the thread goes on", async () => {
    const { page } = await open();
    model.reply = () => ["one ", "two ", "three"];
    model.holdAfter = 2;
    await say(page, "Count");
    await answers(page, "streaming").getByText("one two").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await answers(page, "stopped").getByText("Stopped.").waitFor();
    await model.calls.at(-1)?.aborted;
    model.release();
    await say(page, "Go on");
    await answers(page, "complete").getByText("one two three").waitFor();
  });

  test("files go with a message, and a thread is found by what was said in it", async () => {
    const { page } = await open();
    await page.locator("input[type=file]").setInputFiles({
      name: "menu.md",
      mimeType: "text/markdown",
      buffer: Buffer.from("# お品書き"),
    });
    await page.getByText("menu.md").waitFor();
    model.reply = () => ["抹茶は五百円です。"];
    await say(page, "What does it cost?");
    await answers(page, "complete").waitFor();
    expect(JSON.stringify(model.calls.at(-1)?.messages)).toContain('<file name=\\"menu.md\\">');
    await page.getByRole("searchbox", { name: "Search all threads" }).fill("五百円");
    await expect.poll(() => page.locator(".m-chat-thread").count()).toBe(1);
    expect(new URL(page.url()).searchParams.get("q")).toBe("五百円");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Save this branch as Markdown" }).click();
    expect((await saved).suggestedFilename()).toBe("What-does-it-cost.md");
  });

  test("slash commands are offered, and change the persona", async () => {
    const { page } = await open();
    await say(page, "Hi");
    await answers(page, "complete").waitFor();
    await field(page).fill("/pers");
    await field(page).press("Tab");
    await field(page).pressSequentially("tu");
    await field(page).press("Tab");
    expect(await field(page).inputValue()).toBe("/persona Tutor");
    await field(page).press("Enter");
    await page.getByText("Tutor answers from here on.").waitFor();
    await say(page, "/nonsense");
    await page.getByText(/There is no command "\/nonsense"/).waitFor();
    expect(await field(page).inputValue()).toBe("/nonsense");
  });

  test("the second port opens the chat for who is signed in at the first", async () => {
    const { page } = await open();
    await page.goto(at("/", chatPort(ui.product)));
    await field(page).waitFor();
    expect(new URL(page.url()).pathname).toBe("/chat");
    await say(page, "Over here");
    await answers(page, "complete").getByText("Hello there.").waitFor();
  });

  for (const language of ["en", "ja"] as const)
    for (const theme of ["light", "dark"] as const)
      test(`it is accessible and fits a phone (${language}, ${theme})`, async () => {
        const { page, complaints } = await open({ language, theme });
        expect(await violations(page)).toEqual([]);
        model.reply = () => RICH;
        await say(page, "Price?");
        await answers(page, "complete").getByRole("table").waitFor();
        expect(await violations(page)).toEqual([]);
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await overflowsSideways(page)).toBe(false);
        await page.goto(at("/chat"));
        await field(page).waitFor();
        expect(await overflowsSideways(page)).toBe(false);
        expect(complaints).toEqual([]);
      });
});

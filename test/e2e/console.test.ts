import { expect, test } from "vitest";
import { openWindow, overflowsSideways, shoot, violations } from "../support/browser.ts";
import { describeInChromium, setupConsole } from "../support/console.ts";
import { createInstallation, eventually } from "../support/installation.ts";

interface TaskRow {
  readonly id: string;
  readonly state: string;
  readonly title: string;
}

const ui = setupConsole(() => createInstallation({ SAMPLE_AGENT_PACE_MS: "150" }));
const { at, open } = ui;
const tasks = async (): Promise<readonly TaskRow[]> =>
  (await ui.product.get<{ items: TaskRow[] }>("/api/tasks?limit=50"))?.items ?? [];

describeInChromium("the console in Chromium", () => {
  test("says what to do where nothing is yet, and follows the sample live without a reload", async () => {
    const { page, complaints } = await open();
    await page.goto(at("/tasks"));
    await page.getByText("miyabi task add").first().waitFor();

    await ui.product.post("/api/demo", {});
    await page.getByText("Show prices with consumption tax").first().waitFor({ timeout: 20_000 });
    // From the end of a task, as the API tells it, to its row.
    const delaysMs: number[] = [];
    const seen = new Set<string>();
    await eventually("the sample is done", 90_000, async () => {
      const all = await tasks();
      for (const { id, state } of all) {
        if (state !== "done" || seen.has(id)) continue;
        seen.add(id);
        const started = performance.now();
        await page.locator(`tr:has(a[href$="/tasks/${id}"])`).getByText("Done").waitFor({ timeout: 5_000 });
        delaysMs.push(performance.now() - started);
      }
      return all.length >= 6 && seen.size === all.length;
    });
    // The median, because the machine of a test run is busy with agents at the same time.
    expect(delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length / 2)]).toBeLessThan(1_000);
    expect(complaints).toEqual([]);
  });

  test("a cut connection is noticed and made up for, with no gap and no double", async () => {
    const { page } = await open();
    await page.goto(at("/tasks"));
    await page.getByLabel(/^Live\./).waitFor();
    const { repositoryPath } = await repository();
    const plane = (await ui.product.processes()).find(({ args }) => args.includes("control-plane"));
    process.kill(plane?.pid ?? 0, "SIGKILL");
    await page.getByLabel(/^Reconnecting\./).waitFor();
    await eventually("the control plane is back", 10_000, () => ui.product.get("/api/status"));
    const made = await ui.product.post<{ id: string }>("/api/tasks", {
      repositoryPath,
      title: "Made while away",
    });
    await ui.product.post(`/api/tasks/${made.id}/cancel`, {});
    const row = page.locator("tr", { hasText: "Made while away" });
    await row.getByText("Cancelled", { exact: true }).waitFor({ timeout: 30_000 });
    expect(await row.count()).toBe(1);
  });

  test("the page of a task shows what was said, changed, checked, spent and why", async () => {
    const { page, complaints } = await open();
    const task = (await tasks()).find(({ title }) => title === "Say goodbye to guests");
    await page.goto(at(`/tasks/${task?.id}`));
    await page.getByRole("log").getByText("report_result").first().waitFor();
    await page.getByRole("tab", { name: "Changes" }).click();
    await page.getByText("src/phrases.js").first().waitFor();
    await page.getByRole("tab", { name: "Checks" }).click();
    await page.getByText("$ npm test").first().waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page
      .getByText(/^Merged/)
      .first()
      .waitFor();
    await page.getByRole("tab", { name: "Explain" }).click();
    await page
      .getByText(/^It is done: merged into main as/)
      .first()
      .waitFor();
    await page.getByText("$0.00").first().waitFor();
    expect(complaints).toEqual([]);

    // A link to a line leads there again.
    await page.getByRole("tab", { name: "Transcript" }).click();
    await page.getByRole("log").getByRole("link").nth(2).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("line")).not.toBe(null);
    await page.reload();
    await page.locator(".m-line-marked").waitFor();
  });

  test("filters stand in the address and survive a reload", async () => {
    const { page } = await open();
    await page.goto(at("/tasks"));
    await page.getByPlaceholder("Title or id").fill("お品書き");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
    expect(new URL(page.url()).searchParams.get("q")).toBe("お品書き");
    await page.reload();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  });

  test("everything can be reached by keyboard", async () => {
    const { page } = await open();
    await page.goto(at("/tasks"));
    await page.locator("tbody tr").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname, { timeout: 5_000 }).toMatch(/^\/tasks\/T\d+$/);
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await expect.poll(() => new URL(page.url()).pathname, { timeout: 5_000 }).toBe("/agents");
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("Tasks, agents, pages, commands…").fill("consumption");
    await page.locator("[data-action]").getByText("Show prices with consumption tax").first().waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).pathname, { timeout: 5_000 }).toMatch(/^\/tasks\/T\d+$/);
  });

  test("an agent's pane can be watched", async () => {
    const { page } = await open({ theme: "dark" });
    await page.goto(at("/agents"));
    await page.getByText("idle, waiting for work").first().waitFor({ timeout: 15_000 });
  });

  test("a window without a session is asked to sign in, and a used link does not work twice", async () => {
    const { page, context } = await openWindow(ui.browser, { language: "ja", theme: "light" });
    await page.goto(at("/tasks"));
    await page.getByText("サインイン").first().waitFor();
    await context.close();
  });

  for (const language of ["en", "ja"] as const)
    for (const theme of ["light", "dark"] as const)
      test(`no page is inaccessible, too wide for a phone or in the other language (${language}, ${theme})`, async () => {
        const { page, complaints } = await open({ language, theme });
        const id = (await tasks())[0]?.id ?? "T1";
        const routes = [
          "/",
          "/tasks",
          "/tasks?view=board",
          "/agents",
          "/messages",
          "/chat",
          ...["transcript", "changes", "checks", "messages", "history", "explain", "brief"].map(
            (tab) => `/tasks/${id}?tab=${tab}`,
          ),
        ];
        for (const route of routes) {
          await page.setViewportSize({ width: 1440, height: 900 });
          await page.goto(at(route));
          await page.locator("h1, h2").first().waitFor();
          await expect.poll(() => page.locator("[aria-busy=true]").count(), { timeout: 10_000 }).toBe(0);
          expect([route, await violations(page)]).toEqual([route, []]);
          await page.setViewportSize({ width: 390, height: 844 });
          expect([route, await overflowsSideways(page)]).toEqual([route, false]);
          await shoot(page, `${route.replaceAll(/[/?=]+/g, "_")}-${language}-${theme}`);
        }
        expect(await page.evaluate<string>("document.documentElement.lang")).toBe(language);
        expect(complaints).toEqual([]);
      });
});

async function repository(): Promise<{ readonly repositoryPath: string }> {
  const found = await ui.product.get<{ items: { path: string }[] }>("/api/repositories");
  return { repositoryPath: found?.items[0]?.path ?? "" };
}

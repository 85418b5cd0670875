import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { chromiumPath, openBrowser, openWindow, signIn, type Viewer, type Window } from "./browser.ts";
import { eventually, type TestInstallation } from "./installation.ts";

/** The console of a running product, and the Chromium that looks at it. */
export interface ConsoleUnderTest {
  readonly product: TestInstallation;
  readonly browser: Browser;
  /** Address of a page. */
  at(route: string, port?: number): string;
  /** A window that is signed in, closed after the test. */
  open(viewer?: Partial<Viewer>): Promise<Window>;
}

// In continuous integration a missing browser is a failure, not a reason to look away.
export const describeInChromium = describe.skipIf(chromiumPath === null && process.env["CI"] === undefined);

/** Starts what `create` makes before the tests of a file, and ends it after them. */
export function setupConsole(create: () => Promise<TestInstallation>): ConsoleUnderTest {
  let product: TestInstallation;
  let browser: Browser;
  beforeAll(async () => {
    product = await create();
    product.up();
    browser = await openBrowser();
    await eventually("the product answers", 40_000, () => product.get("/api/status"));
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await product?.destroy();
  });
  return {
    get product() {
      return product;
    },
    get browser() {
      return browser;
    },
    at: (route, port = product.port) => `http://localhost:${port}${route}`,
    open: async (viewer = {}) => {
      const window = await openWindow(browser, { language: "en", theme: "light", ...viewer });
      onTestFinished(() => window.context.close());
      await signIn(window.page, product);
      return window;
    },
  };
}

/** Gives an installation a key of OpenAI, whose calls go to a stand-in; further lines of `miyabi.yaml` may follow. */
export async function useModel(
  { home }: TestInstallation,
  model: { readonly origin: string },
  more = "",
): Promise<void> {
  await writeFile(
    path.join(home, "miyabi.yaml"),
    `gateway:\n  providers:\n    openai: { baseUrl: "${model.origin}/v1" }\n${more}`,
  );
  await writeFile(path.join(home, ".env"), "OPENAI_API_KEY=sk-test\n", { mode: 0o600 });
}

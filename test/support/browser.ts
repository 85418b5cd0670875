import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import type { TestInstallation } from "./installation.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The machine's Chromium; null where there is none. */
export const chromiumPath: string | null = PLACES.find((file) => existsSync(file)) ?? null;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function openBrowser(): Promise<Browser> {
  // As root, Chromium's own sandbox cannot start; the pages are ours.
  return chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox"] });
}

export interface Viewer {
  readonly language: "en" | "ja";
  readonly theme: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** A person's browser window, with what its pages complained about. */
export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly complaints: readonly string[];
}

export async function openWindow(browser: Browser, viewer: Readonly<Viewer>): Promise<Window> {
  const context = await browser.newContext({
    viewport: { width: viewer.width ?? 1440, height: viewer.height ?? 900 },
    colorScheme: viewer.theme,
    locale: viewer.language === "ja" ? "ja-JP" : "en-US",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { context, page, complaints };
}

/** Signs a window in by the link that the command line prints. */
export async function signIn(page: Page, installation: TestInstallation): Promise<void> {
  const { stdout } = await installation.cli("login", "--json");
  const { url } = JSON.parse(stdout) as { url: string };
  await page.goto(url);
  await page.getByRole("navigation").first().waitFor();
}

interface Violation {
  readonly rule: string;
  readonly nodes: readonly string[];
}

/** What axe finds wrong with the page as it is shown now. */
export async function violations(page: Page): Promise<readonly Violation[]> {
  // The page's policy takes no script from elsewhere; this one comes through the debugger.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Result {
      readonly violations: readonly {
        readonly id: string;
        readonly nodes: readonly { readonly html: string }[];
      }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<Result> } };
    const { violations: found } = await axe.run();
    return found.map(({ id, nodes }) => ({
      rule: id,
      nodes: nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)),
    }));
  });
}

export const overflowsSideways = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth + 1");

/** Takes pictures of the page in both widths where `MIYABI_SCREENSHOTS` names a directory for them. */
export async function shoot(page: Page, name: string): Promise<void> {
  const directory = process.env["MIYABI_SCREENSHOTS"];
  if (directory === undefined) return;
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: path.join(directory, `${name}-${width}.png`) });
  }
}

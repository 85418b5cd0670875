import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const WEB = path.join(import.meta.dirname, "../../web/dist");
const LIMIT_BYTES = 250 * 1024;

test("the console's first page loads at most 250 KB of JavaScript, compressed", async () => {
  const page = await readFile(path.join(WEB, "index.html"), "utf8");
  const scripts = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].flatMap(([, file]) => file ?? []);
  expect(scripts.length).toBeGreaterThan(1);
  const files = await Promise.all(scripts.map((file) => readFile(path.join(WEB, file))));
  const sizes = scripts.map((file, index) => [file, gzipSync(files[index] ?? "").length] as const);
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(total, JSON.stringify(Object.fromEntries(sizes))).toBeLessThanOrEqual(LIMIT_BYTES);
  expect(total).toBeGreaterThan(10_000);
});

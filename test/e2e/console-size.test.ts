import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const WEB = path.join(import.meta.dirname, "../../web/dist");
const LIMIT_BYTES = 250 * 1024;

const sizeOf = async (file: string): Promise<readonly [file: string, bytes: number]> => [
  file,
  gzipSync(await readFile(path.join(WEB, file))).length,
];

test("the console's first page loads at most 250 KB of JavaScript, compressed", async () => {
  const page = await readFile(path.join(WEB, "index.html"), "utf8");
  const scripts = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].flatMap(([, file]) => file ?? []);
  expect(scripts.length).toBeGreaterThan(1);
  // The first script asks for the words of one language; the larger one counts.
  const words = (await readdir(path.join(WEB, "assets"))).filter((file) => /^(?:en|ja)-.*\.js$/.test(file));
  expect(words).toHaveLength(2);
  const languages = await Promise.all(words.map((file) => sizeOf(`assets/${file}`)));
  const sizes = [
    ...(await Promise.all(scripts.map(sizeOf))),
    ...languages.toSorted(([, a], [, b]) => b - a).slice(0, 1),
  ];
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(total, JSON.stringify(Object.fromEntries(sizes))).toBeLessThanOrEqual(LIMIT_BYTES);
  expect(total).toBeGreaterThan(10_000);
});

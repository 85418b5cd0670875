import { mkdtemp, readdir, readFile, rm, stat, chmod, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemRandom as random } from "../base/index.ts";
import { equalSecrets } from "./secrets.ts";
import { openTokenFile } from "./token-file.ts";

async function setup() {
  const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-token-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, file: path.join(directory, "run", "token") };
}

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

test("a token is made once, for this user only, and kept", async () => {
  const { file } = await setup();
  const token = await openTokenFile({ file, random });
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(await modeOf(file)).toBe("600");
  expect(await openTokenFile({ file, random })).toBe(token);
  await chmod(file, 0o644);
  await openTokenFile({ file, random });
  expect(await modeOf(file)).toBe("600");
});

test("processes that start at the same time agree on one token and leave nothing else", async () => {
  const { file } = await setup();
  const tokens = await Promise.all(Array.from({ length: 8 }, () => openTokenFile({ file, random })));
  expect(new Set(tokens).size).toBe(1);
  expect((await readFile(file, "utf8")).trim()).toBe(tokens[0]);
  expect(await readdir(path.dirname(file))).toEqual(["token"]);
});

test("what is no token is replaced", async () => {
  const { file } = await setup();
  const first = await openTokenFile({ file, random });
  for (const content of ["", "short", `${first.slice(0, 20)}\n`]) {
    await writeFile(file, content);
    expect(await openTokenFile({ file, random })).not.toBe(first);
  }
});

test("secrets of any length are compared", () => {
  expect(equalSecrets("abc", "abc")).toBe(true);
  for (const other of ["", "abcd", "abd", "ABC"]) expect(equalSecrets("abc", other)).toBe(false);
});

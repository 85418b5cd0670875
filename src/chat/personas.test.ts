import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { watchPersonas } from "./personas.ts";

async function setup() {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-personas-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const personas = watchPersonas({
    directories: [path.join(root, "missing"), root],
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(path.join(root, name), text);
    await personas.tick();
  };
  return { personas, write, root };
}

test("a file that breaks keeps its last good content, and says where it is wrong", async () => {
  const { personas, write, root } = await setup();
  await write("ada.yaml", "name: Ada\nstyle: Short.\n");
  await write("ada.yaml", "name: Ada\nstyle: Long.\nforbidden: [x]\n");
  expect(personas.find("ADA")?.style).toBe("Short.");
  expect(personas.problems()).toEqual([
    expect.stringContaining(`${path.join(root, "ada.yaml")}:3: forbidden`),
  ]);
  await write("ada.yaml", "name: Ada\nstyle: Long and winding.\n");
  expect(personas.find("Ada")?.style).toBe("Long and winding.");
  expect(personas.problems()).toEqual([]);
});

test("of two files with one name the first holds, and the other is named", async () => {
  const { personas, write } = await setup();
  await write("a.yaml", "name: Ada\nstyle: First.\n");
  await write("b.yaml", "name: ＡＤＡ\nstyle: Second.\n");
  expect(personas.list().map(({ style }) => style)).toEqual(["First."]);
  expect(personas.problems()).toEqual([expect.stringMatching(/b\.yaml: name "ＡＤＡ" is that of .*a\.yaml/)]);
});

test("a removed file removes its persona", async () => {
  const { personas, write, root } = await setup();
  await write("a.yaml", "name: Ada\nstyle: Short.\n");
  await rm(path.join(root, "a.yaml"));
  await personas.tick();
  expect(personas.list()).toEqual([]);
});

test("the personas that ship can be read, and two of them speak Japanese", async () => {
  const personas = watchPersonas({
    directories: [path.join(import.meta.dirname, "../../examples/personas")],
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  await personas.tick();
  expect(personas.problems()).toEqual([]);
  expect(personas.list()).toHaveLength(5);
  expect(personas.list().filter(({ style }) => /\p{sc=Hiragana}/u.test(style))).toHaveLength(2);
});

import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { commandName, quoteForShell } from "../base/index.ts";
import { launcherFile, withCommandName } from "./command-name.ts";

async function setup() {
  const dir = await mkdtemp(path.join(os.tmpdir(), "miyabi name 名-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const launcher = path.join(dir, "installation", "bin", "miyabi.cjs");
  const bin = path.join(dir, "bin");
  await mkdir(path.dirname(launcher), { recursive: true });
  await mkdir(bin);
  await writeFile(launcher, "");
  return { launcher, bin };
}

it("is miyabi where the PATH leads to this installation, through links too", async () => {
  const { launcher, bin } = await setup();
  await symlink(launcher, path.join(bin, "miyabi"));
  expect(commandName({ PATH: `/nowhere:relative:${bin}` }, launcher)).toBe("miyabi");
});

it("is the launcher, quoted, where the PATH has none or another one first", async () => {
  const { launcher, bin } = await setup();
  expect(commandName({ PATH: bin }, launcher)).toBe(`node '${launcher}'`);
  await writeFile(path.join(bin, "miyabi"), "#!/bin/sh\n");
  await chmod(path.join(bin, "miyabi"), 0o755);
  expect(commandName({ PATH: bin }, launcher)).toBe(`node '${launcher}'`);
  expect(commandName({}, launcher)).toBe(`node '${launcher}'`);
});

it("names a data directory that is not the default one, quoted", async () => {
  const { launcher, bin } = await setup();
  await symlink(launcher, path.join(bin, "miyabi"));
  expect(commandName({ PATH: bin, MIYABI_HOME: "/srv/my data" }, launcher)).toBe(
    "MIYABI_HOME='/srv/my data' miyabi",
  );
  expect(commandName({ PATH: bin, MIYABI_HOME: "" }, launcher)).toBe("miyabi");
});

it("finds the launcher of this checkout", () => {
  expect(launcherFile()).toBe(path.join(import.meta.dirname, "../../bin/miyabi.cjs"));
});

it.each([
  ["miyabi task list", "node m task list"],
  ["miyabi status, or miyabi shutdown; and on", "node m status, or node m shutdown; and on"],
  ["Run `miyabi doctor`.", "Run `node m doctor`."],
  ["miyabi --help", "node m --help"],
  [
    "miyabi runs already on /var/lib/miyabi (supervisor).",
    "miyabi runs already on /var/lib/miyabi (supervisor).",
  ],
  ["/var/lib/miyabi up", "/var/lib/miyabi up"],
])("makes the commands in %j run when pasted, and leaves the rest", (text, expected) => {
  expect(withCommandName(text, "node m")).toBe(expected);
});

it.each([
  ["/a/b-c.d", "/a/b-c.d"],
  ["a b", "'a b'"],
  ["日本", "'日本'"],
  ["it's", "'it'\\''s'"],
  ["", "''"],
])("quotes %j for a shell", (text, expected) => {
  expect(quoteForShell(text)).toBe(expected);
});

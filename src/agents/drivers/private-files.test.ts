import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPrivateFile, writePrivateFile } from "./private-files.ts";

let root: string;
let home: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "miyabi-home-"));
  home = path.join(root, "home");
  await mkdir(home);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("writePrivateFile", () => {
  it("replaces links that an agent put in its way instead of following them", async () => {
    const victim = path.join(root, "victim");
    await mkdir(victim);
    await writeFile(path.join(victim, "config.toml"), "old");
    await symlink(victim, path.join(home, ".codex"));
    await writePrivateFile(home, ".codex/config.toml", "new");
    expect(await readFile(path.join(victim, "config.toml"), "utf8")).toBe("old");
    expect(await readFile(path.join(home, ".codex/config.toml"), "utf8")).toBe("new");

    await rm(path.join(home, ".codex/config.toml"));
    await symlink(path.join(victim, "config.toml"), path.join(home, ".codex/config.toml"));
    await writePrivateFile(home, ".codex/config.toml", "newer");
    expect(await readFile(path.join(victim, "config.toml"), "utf8")).toBe("old");
  });

  it.each(["../outside", "/etc/x", "", ".", "a/../../b"])("refuses %j", async (relative) => {
    await expect(writePrivateFile(home, relative, "x")).rejects.toMatchObject({ code: "input.invalid" });
  });
});

describe("readPrivateFile", () => {
  it("reads regular files only, up to a size", async () => {
    expect(await readPrivateFile(home, "none", 10)).toBeNull();
    await writeFile(path.join(home, "file"), "text");
    expect(await readPrivateFile(home, "file", 10)).toBe("text");
    await expect(readPrivateFile(home, "file", 3)).rejects.toMatchObject({ code: "input.too_large" });
    await symlink("/etc/hostname", path.join(home, "link"));
    await expect(readPrivateFile(home, "link", 10_000)).rejects.toMatchObject({ code: "input.invalid" });
  });
});

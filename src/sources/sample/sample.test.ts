import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemProcessRunner } from "../../base/index.ts";
import { createGit } from "../../repositories/index.ts";
import { createSampleRepository, loadSampleIssues } from "./index.ts";

const SAMPLE = path.resolve(import.meta.dirname, "../../../examples/sample-project");
const git = createGit({ processes: systemProcessRunner, searchPath: "/usr/local/bin:/usr/bin:/bin" });

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "miyabi-sample-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("loadSampleIssues", () => {
  it("loads the shipped issues in their order, with and without recipes", async () => {
    const dir = path.join(SAMPLE, "issues");
    const issues = await loadSampleIssues({ dir, withRecipes: true });
    expect(issues.length).toBeGreaterThanOrEqual(8);
    expect(issues.filter((issue) => issue.dependsOn.length > 0)).toHaveLength(2);
    expect(issues.every((issue) => issue.body.includes("```miyabi-recipe"))).toBe(true);
    const plain = await loadSampleIssues({ dir, withRecipes: false });
    expect(plain.some((issue) => issue.body.includes("miyabi-recipe"))).toBe(false);
    expect(plain.map((issue) => issue.title)).toContain("お品書きを日本語で表示する");
  });

  it("names file and line of a broken issue", async () => {
    await writeFile(path.join(root, "1.md"), "---\ntitle: x\nlabel: y\n---\nbody");
    await expect(loadSampleIssues({ dir: root, withRecipes: true })).rejects.toMatchObject({
      code: "input.invalid",
      message: expect.stringContaining("1.md:2"),
    });
  });

  it("refuses a dependency on a later issue", async () => {
    await writeFile(path.join(root, "1.md"), '---\ntitle: x\ndependsOn: ["2"]\n---\nbody');
    await writeFile(path.join(root, "2.md"), "---\ntitle: y\n---\nbody");
    await expect(loadSampleIssues({ dir: root, withRecipes: true })).rejects.toMatchObject({
      code: "dependency.cycle",
    });
  });
});

describe("createSampleRepository", () => {
  const create = (name: string) =>
    createSampleRepository({
      templateDir: path.join(SAMPLE, "project"),
      targetDir: path.join(root, name),
      git,
    });

  it("makes the same commit everywhere and leaves an existing repository alone", async () => {
    const first = await create("日本 one");
    const second = await create("two");
    expect(first).toMatchObject({ created: true, commit: second.commit });
    expect(await create("two")).toEqual({ ...second, created: false });
    expect((await git.text({ cwd: second.dir, args: ["status", "--porcelain", "--branch"] })).trim()).toBe(
      "## main",
    );
  });

  it("starts over where a crash left half of it", async () => {
    await mkdir(path.join(root, "one.partial", ".git"), { recursive: true });
    expect(await create("one")).toMatchObject({ created: true });
    expect(await readdir(root)).toEqual(["one"]);
  });

  it("refuses a directory that holds something else", async () => {
    await mkdir(path.join(root, "one"));
    await writeFile(path.join(root, "one", "mine.txt"), "mine");
    await expect(create("one")).rejects.toMatchObject({ code: "conflict.state" });
  });
});

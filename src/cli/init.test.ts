import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { packageDirOf, resolveProfile } from "../agents/index.ts";
import { parseYaml } from "../base/index.ts";
import { workflow } from "../tasks/index.ts";
import { launcherFile } from "./command-name.ts";
import { setupCommandLine } from "./command-line-fixture.ts";

const execute = promisify(execFile);

interface Said {
  readonly repository: string;
  readonly agent: string;
  readonly check: string[];
  readonly written: string[];
  readonly next: string[];
}

async function setup(name = "店 舗") {
  const line = await setupCommandLine();
  const repository = path.join(line.dir, name);
  await mkdir(repository);
  const git = (...args: string[]) =>
    execute("git", ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      env: line.env,
    });
  const commit = async (): Promise<void> => {
    await git("init", "-q", "-b", "main");
    await writeFile(path.join(repository, "package.json"), '{"scripts":{"test":"node --test"}}');
    await git("add", "-A");
    await git("commit", "-qm", "first");
  };
  const init = async (...args: string[]): Promise<Said> => {
    const { code, stdout, stderr } = await line.run("init", "--json", "--repo", repository, ...args);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Said;
  };
  return {
    ...line,
    repository,
    git,
    commit,
    init,
    workflowFile: path.join(repository, ".miyabi/workflow.yaml"),
  };
}

/** A package that is there is not fetched: these tests need no network. */
async function pretendInstalled(root: string, name: string): Promise<void> {
  const place = { profile: resolveProfile(name), agentsDir: path.join(root, "agents"), sampleAgentDir: root };
  await mkdir(packageDirOf(place) ?? "", { recursive: true });
}

describe("init --yes", () => {
  it("writes the workflow, the settings and the link, and names commands that run", async () => {
    const { commit, init, repository, workflowFile, home, dir, git, env } = await setup();
    await commit();
    const said = await init("--yes");
    const link = path.join(dir, ".local/bin/miyabi");
    expect(said).toMatchObject({
      repository,
      agent: "sample",
      check: ["npm test"],
      written: [workflowFile, home.configFile, link],
    });
    const text = await readFile(workflowFile, "utf8");
    const read = parseYaml({ text, source: workflowFile, schema: workflow, code: "workflow.invalid" });
    expect(read.steps.map((step) => step.name)).toEqual(["implement", "check", "review", "merge"]);
    expect(await readlink(link)).toBe(launcherFile());
    expect(await readFile(home.configFile, "utf8")).toContain("agent: sample");
    // The first of the next commands is git's; it has to work although the path has a space and Japanese.
    await git("config", "user.name", "t");
    await git("config", "user.email", "t@example.org");
    await execute("/bin/sh", ["-c", said.next[0] ?? ""], { env });
    expect((await git("show", "--stat", "--format=%s", "HEAD")).stdout).toContain(".miyabi/workflow.yaml");
    expect(said.next.at(-1)).toContain(`--repo '${repository}'`);
  });

  it("overwrites no workflow and keeps the settings of before beside the new ones", async () => {
    const { commit, init, workflowFile, home } = await setup();
    await commit();
    await mkdir(path.dirname(workflowFile));
    await writeFile(workflowFile, "mine: true\n");
    await mkdir(home.root, { recursive: true });
    await writeFile(home.configFile, "# my port\nport: 8123\n");
    await writeFile(home.envFile, "ANTHROPIC_API_KEY=not-a-key\n");
    await pretendInstalled(home.root, "claude");
    const said = await init("--yes");
    expect(said.agent).toBe("claude");
    expect(await readFile(workflowFile, "utf8")).toBe("mine: true\n");
    expect(await readFile(home.configFile, "utf8")).toBe("# my port\nport: 8123\nagent: claude\n");
    const backups = (await readdir(home.root)).filter((name) => name.startsWith("miyabi.yaml.bak-"));
    expect(backups).toHaveLength(1);
    expect(await readFile(path.join(home.root, backups[0] ?? ""), "utf8")).toBe("# my port\nport: 8123\n");
    const again = await init("--yes");
    expect(again.written).toEqual([]);
  });
});

describe("init", () => {
  it("writes nothing where nobody can be asked", async () => {
    const { commit, init, repository, home } = await setup();
    await commit();
    expect((await init()).written).toEqual([]);
    expect(await readdir(repository)).toEqual([".git", "package.json"]);
    await expect(readFile(home.configFile)).rejects.toThrow("ENOENT");
  });

  it("takes a bare repository, which has no tree for a workflow", async () => {
    const { commit, git, run, dir, home } = await setup("plain");
    await commit();
    const bare = path.join(dir, "bare.git");
    await git("clone", "-q", "--bare", ".", bare);
    const { code, stdout } = await run("init", "--json", "--yes", "--repo", bare);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Said).written).toContain(home.configFile);
    expect(await readdir(bare)).not.toContain(".miyabi");
  });

  it.each([
    ["a directory that is no repository", false, "is not a git repository"],
    ["a repository without commits", true, "has no commits yet"],
  ])("refuses %s with a command that mends it, and writes nothing", async (_, isRepository, message) => {
    const { run, repository, git, home } = await setup();
    if (isRepository) await git("init", "-q");
    const { code, stdout, stderr } = await run("init", "--yes", "--repo", repository);
    expect({ code, stdout }).toEqual({ code: 65, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^fix: +git -C '.*店 舗' .*commit/m);
    await expect(readFile(home.configFile)).rejects.toThrow("ENOENT");
  });
});

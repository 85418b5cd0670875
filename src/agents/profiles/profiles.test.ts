import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom, type ProcessRunner, type RunParams, type RunResult } from "../../base/index.ts";
import { installAgentPackage, packageDirOf } from "./install.ts";
import { profileNames, profileOverride, resolveProfile } from "./resolve.ts";

describe("resolveProfile", () => {
  it.each(profileNames())("gives a valid profile for %s with an exact version and no real key", (name) => {
    const profile = resolveProfile(name);
    if (profile.npm !== null) expect(profile.npm).toMatch(/@\d+\.\d+\.\d+$/);
    for (const [variable, value] of Object.entries(profile.env))
      if (/KEY|TOKEN/.test(variable)) expect(value).toBe("{key}");
  });

  it("merges the configuration over a shipped profile", () => {
    const overrides = { claude: profileOverride.parse({ model: "opus", env: { EXTRA: "1" } }) };
    const profile = resolveProfile("claude", overrides);
    expect(profile).toMatchObject({ model: "opus", driver: "acp", resume: "resume" });
    expect(profile.env).toMatchObject({ EXTRA: "1", ANTHROPIC_BASE_URL: "{gateway}" });
    expect(profile.args).toEqual(resolveProfile("claude").args);
  });

  it("takes a whole profile of one's own, and one that is based on another", () => {
    const mine = { driver: "command" as const, command: "my-agent" };
    expect(resolveProfile("mine", { mine })).toMatchObject({
      name: "mine",
      title: "mine",
      command: "my-agent",
    });
    expect(resolveProfile("fast", { fast: { based: "codex", model: "mini" } })).toMatchObject({
      name: "fast",
      model: "mini",
      npm: resolveProfile("codex").npm,
    });
  });

  it("names the known profiles where the name is unknown", () => {
    expect(() => resolveProfile("clod", { mine: { command: "x", driver: "acp" } })).toThrow(
      expect.objectContaining({ code: "not_found", message: expect.stringMatching(/claude, codex.*mine/) }),
    );
    expect(() => resolveProfile("constructor")).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  it("names the field where a profile of one's own is incomplete", () => {
    expect(() => resolveProfile("mine", { mine: { driver: "acp" } })).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining("command") }),
    );
  });
});

describe("installAgentPackage", () => {
  let agentsDir: string;
  beforeEach(async () => {
    agentsDir = await mkdtemp(path.join(tmpdir(), "miyabi-agents-"));
  });
  afterEach(() => rm(agentsDir, { recursive: true, force: true }));

  const params = (run: (given: Readonly<RunParams>) => Promise<Partial<RunResult>>) => {
    const runner: ProcessRunner = {
      run: async (given) => ({
        code: 0,
        signal: null,
        stdout: "",
        stderr: "",
        truncated: false,
        timedOut: false,
        ...(await run(given)),
      }),
    };
    const profile = resolveProfile("claude");
    return {
      profile,
      agentsDir,
      sampleAgentDir: "/sample",
      runner,
      random: systemRandom,
      env: {},
      onProgress: () => {},
    };
  };

  it("installs once, into a directory that appears only when it is complete", async () => {
    let runs = 0;
    const install = params(async ({ cwd, args }) => {
      runs += 1;
      expect(args).toContain("--ignore-scripts");
      expect(cwd).toMatch(/\.partial$/);
      await mkdir(path.join(cwd ?? "", "node_modules"));
      return {};
    });
    const directory = await installAgentPackage(install);
    expect(await installAgentPackage(install)).toBe(directory);
    expect(runs).toBe(1);
    expect(await readdir(agentsDir)).toEqual(["agentclientprotocol+claude-agent-acp@0.100.0"]);
  });

  it("lets two installations at once both succeed", async () => {
    const install = params(async ({ cwd }) => {
      await mkdir(path.join(cwd ?? "", "node_modules"));
      return {};
    });
    const both = await Promise.all([installAgentPackage(install), installAgentPackage(install)]);
    expect(new Set(both).size).toBe(1);
    expect(await readdir(agentsDir)).toHaveLength(1);
  });

  it("says that the registry cannot be reached and leaves nothing behind", async () => {
    const install = params(async () => ({ code: 1, stderr: "npm error code ENOTFOUND\nnpm error network" }));
    await expect(installAgentPackage(install)).rejects.toMatchObject({
      code: "agent.unavailable",
      message: expect.stringContaining("cannot be reached"),
    });
    expect(await readdir(agentsDir)).toEqual([]);
  });

  it("needs no package for programs of the machine and the sample's directory for the sample", () => {
    const places = { agentsDir, sampleAgentDir: "/sample" };
    expect(packageDirOf({ profile: resolveProfile("aider"), ...places })).toBeNull();
    expect(packageDirOf({ profile: resolveProfile("sample"), ...places })).toBe("/sample");
  });
});

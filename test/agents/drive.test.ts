import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemProcessRunner, systemRandom } from "../../src/base/index.ts";
import { openAgent } from "../../src/agents/drivers/index.ts";
import {
  installAgentPackage,
  resolveProfile,
  type ProfileOverrides,
} from "../../src/agents/profiles/index.ts";
import { createDriverBench } from "../support/agent-driver.ts";
import { startMcpRecorder } from "../support/mcp-recorder.ts";
import { startScriptedModel } from "../support/scripted-model.ts";

// Real agent programs from npm with a scripted model: installs them once into a directory that later runs reuse.
const AGENTS_DIR = path.join(tmpdir(), "miyabi-test-agents");
const SAMPLE_AGENT_DIR = path.resolve(import.meta.dirname, "../../examples/sample-agent");

const codexConfig = resolveProfile("codex").files[".codex/config.toml"] ?? "";
const overrides: ProfileOverrides = {
  // Codex offers its own models a JavaScript tool instead of plain ones; the scripted model wants plain ones.
  codex: { files: { ".codex/config.toml": `model = "mock-model"\n${codexConfig}` } },
};

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe.each(["claude", "codex"])("the %s profile", (name) => {
  it("runs a command, reports through MCP and continues its session in a new process", async () => {
    const profile = resolveProfile(name, overrides);
    const packageDir = await installAgentPackage({
      profile,
      agentsDir: AGENTS_DIR,
      sampleAgentDir: SAMPLE_AGENT_DIR,
      runner: systemProcessRunner,
      random: systemRandom,
      env: process.env,
      onProgress: () => {},
    });
    const mcp = await startMcpRecorder();
    const model = await startScriptedModel([
      { shell: "echo hello > made.txt" },
      { mcp: "report_result", args: { verdict: "done", notes: "made it" } },
      { say: "All done." },
      { say: "Still here." },
    ]);
    const bench = await createDriverBench(profile, {
      packageDir,
      gatewayUrl: model.url,
      mcpUrl: mcp.url,
      startTimeoutMs: 60_000,
    });
    cleanUps.push(mcp.close, model.close, bench.cleanUp);

    const first = await openAgent(bench.params);
    expect(await first.prompt("Make the file.")).toMatchObject({ outcome: "ended" });
    await first.close();
    expect(await readFile(path.join(bench.cwd, "made.txt"), "utf8")).toBe("hello\n");
    expect(mcp.calls).toEqual([{ tool: "report_result", args: { verdict: "done", notes: "made it" } }]);
    expect(bench.ofKind("tool").filter((event) => event.status === "completed")).toHaveLength(2);
    expect(bench.text()).toContain("All done.");

    const second = await openAgent({ ...bench.params, resumeSessionId: first.sessionId });
    expect(second.resumed).toBe(true);
    expect(await second.prompt("Go on.")).toMatchObject({ outcome: "ended" });
    await second.close();
  });
});

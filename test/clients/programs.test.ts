import { expect, onTestFinished, test } from "vitest";
import { installClient, openClientBench, type ClientBench } from "../support/client-bench.ts";
import { SCRIPTED_USAGE, type ModelAction } from "../support/scripted-model.ts";
import { PROVIDERS, type Speaks } from "./providers.ts";
import { PROGRAMS, type Program } from "./programs.ts";

// `miyabi setup` in an empty home, then the real program: everything that it needs to know it knows from its own files.

const SCRIPT: readonly ModelAction[] = [{ shell: "echo hello > made.txt" }, { say: "All done." }];
const PROMPT = "Make the file made.txt.";

async function work(bench: ClientBench, program: Program, model: string) {
  const modules = await installClient(program.npm);
  const settings = await bench.setUp(program.tool, model);
  const result = await bench.run(program.command(modules, PROMPT), program.env);
  const said = `${result.stdout}\n${result.stderr}\n${bench.model.requests().join("\n")}`;
  expect(settings, JSON.stringify(settings)).toMatchObject({ state: "written" });
  expect(await bench.made(), said).toBe("hello\n");
  expect(result.code, said).toBe(0);
  expect(result.stdout, said).toContain("All done.");
  return (await bench.ledger()).filter((line) => !line.endpoint.includes("count"));
}

const program = (tool: string): Program => {
  const found = PROGRAMS.find((one) => one.tool === tool);
  if (found === undefined) throw new Error(tool);
  return found;
};

test.each([
  ["claude", "claude-sonnet-4-5", "messages"],
  ["codex", "mock-model", "responses"],
  ["gemini", "gemini-2.5-pro", "generate_content"],
  ["opencode", "gpt-5", "chat_completions"],
  ["opencode", "claude-sonnet-4-5", "messages"],
  ["continue", "gpt-4.1", "chat_completions"],
  ["continue", "claude-sonnet-4-5", "messages"],
  ["copilot", "gpt-4.1", "chat_completions"],
  ["copilot", "gpt-5", "responses"],
  ["copilot", "claude-sonnet-4-5", "messages"],
])("%s does a task with %s over %s, to the token", async (tool, model, endpoint) => {
  const bench = await openClientBench(PROVIDERS.everything, SCRIPT);
  onTestFinished(bench.cleanUp);
  const lines = await work(bench, program(tool), model);
  expect(lines.map((line) => line.status)).toEqual(lines.map(() => 200));
  // The script's two steps; what is asked beside them (a title, the check of setup) is answered with another usage.
  const { input, output } = SCRIPTED_USAGE;
  const steps = lines.filter((line) => line.endpoint === endpoint && line.output === output);
  expect(steps).toEqual([
    expect.objectContaining({ input, output }),
    expect.objectContaining({ input, output }),
  ]);
});

test.each<[string, string, Speaks]>([
  ["claude", "messages", "chat completions only"],
  ["claude", "messages", "responses only"],
  ["codex", "responses", "chat completions only"],
  ["codex", "responses", "messages only"],
  ["gemini", "generate_content", "chat completions only"],
  ["gemini", "generate_content", "messages only"],
  ["opencode", "chat_completions", "messages only"],
  ["opencode", "chat_completions", "responses only"],
  ["continue", "chat_completions", "messages only"],
])("%s does a task over %s with a provider of %s", async (tool, endpoint, speaks) => {
  const bench = await openClientBench(PROVIDERS[speaks], SCRIPT);
  onTestFinished(bench.cleanUp);
  expect(bench.support(endpoint)).toBe("translated");
  const lines = await work(bench, program(tool), "mock-model");
  const steps = lines.filter((line) => line.output === SCRIPTED_USAGE.output);
  expect(steps.map((line) => line.status)).toEqual([200, 200]);
});

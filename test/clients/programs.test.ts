import { expect, onTestFinished, test } from "vitest";
import { installClient, openClientBench, type ClientBench } from "../support/client-bench.ts";
import { SCRIPTED_USAGE, type ModelAction } from "../support/scripted-model.ts";
import { PROGRAMS, type Program } from "./programs.ts";

// `miyabi setup` in an empty home, then the real program: everything that it needs to know it knows from its own files.

const SCRIPT: readonly ModelAction[] = [{ shell: "echo hello > made.txt" }, { say: "All done." }];
const PROMPT = "Make the file made.txt.";

/** The providers' own dialects. */
const NATIVE = (url: string) => ({
  openai: { baseUrl: url },
  anthropic: { baseUrl: url },
  google: { baseUrl: url },
});
/** One that speaks only one dialect, for every model. */
const ONLY_CHAT = (url: string) => ({
  other: { kind: "openai-compatible", baseUrl: `${url}/v1`, models: ["*"] },
});
const ONLY_MESSAGES = (url: string) => ({ anthropic: { baseUrl: url, models: ["*"] } });

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
  const bench = await openClientBench(NATIVE, SCRIPT);
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

test.each([
  ["claude", "mock-model", "messages", ONLY_CHAT],
  ["codex", "mock-model", "responses", ONLY_CHAT],
  ["codex", "mock-model", "responses", ONLY_MESSAGES],
  ["gemini", "mock-model", "generate_content", ONLY_CHAT],
  ["gemini", "mock-model", "generate_content", ONLY_MESSAGES],
  ["opencode", "mock-model", "chat_completions", ONLY_MESSAGES],
  ["continue", "mock-model", "chat_completions", ONLY_MESSAGES],
])("%s does a task with %s, translated from %s", async (tool, model, endpoint, providers) => {
  const bench = await openClientBench(providers, SCRIPT);
  onTestFinished(bench.cleanUp);
  if (bench.support(endpoint) === "none") return expect(bench.support(endpoint)).toBe("none");
  expect(bench.support(endpoint)).toBe("translated");
  const lines = await work(bench, program(tool), model);
  expect(lines.filter((line) => line.status === 200).length).toBeGreaterThanOrEqual(2);
});

// A task with a tool by the ai SDK, in a process of its own: `ai-sdk.mjs TASK_JSON`, the key in GATEWAY_KEY. Prints what came out.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const task = JSON.parse(process.argv[2]);
const load = (modules, name) => import(pathToFileURL(createRequire(`${modules}/x.js`).resolve(name)).href);
const { generateText, streamText, tool, jsonSchema, stepCountIs } = await load(task.modules.ai, "ai");
const provider = await load(task.modules.provider, task.package);

const options = { baseURL: task.baseURL, apiKey: process.env.GATEWAY_KEY };
const makers = {
  openai: () => provider.createOpenAI(options)(task.model),
  "openai-chat": () => provider.createOpenAI(options).chat(task.model),
  "openai-compatible": () =>
    provider.createOpenAICompatible({ ...options, name: "gateway", includeUsage: true })(task.model),
  anthropic: () => provider.createAnthropic(options)(task.model),
  google: () => provider.createGoogleGenerativeAI(options)(task.model),
};

let command = null;
const request = {
  model: makers[task.kind](),
  prompt: task.prompt,
  maxRetries: 0,
  stopWhen: stepCountIs(3),
  tools: {
    shell: tool({
      description: "Runs a command",
      inputSchema: jsonSchema({
        type: "object",
        properties: { command: { type: "string" } },
        required: ["command"],
      }),
      execute: async (input) => {
        command = input.command;
        return task.result;
      },
    }),
  },
};

let failure = null;
const result = task.stream
  ? streamText({ ...request, onError: ({ error }) => (failure = error) })
  : await generateText(request);
const answer = await result.text;
if (failure !== null) throw failure;
const usage = await result.totalUsage;
process.stdout.write(
  JSON.stringify({ command, answer, input: usage.inputTokens, output: usage.outputTokens }),
);

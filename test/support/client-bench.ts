import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { systemClock, systemProcessRunner, systemRandom, type RunResult } from "../../src/base/index.ts";
import { agentProfile } from "../../src/agents/profile.ts";
import { installAgentPackage } from "../../src/agents/profiles/index.ts";
import type { Client } from "../../src/cli/client.ts";
import { setUpTool } from "../../src/cli/setup/set-up-tool.ts";
import type { ToolResult } from "../../src/cli/setup/result.ts";
import type { ToolName } from "../../src/cli/setup/tools/index.ts";
import { newGatewayKey } from "../../src/contract/index.ts";
import { createTranslations, gatewaySettings } from "../../src/gateway/index.ts";
import { createGatewayHandlers } from "../../src/main/gateway-handlers.ts";
import { createTestDatabase } from "../../src/store/testing.ts";
import { startGateway } from "./gateway-under-test.ts";
import { startScriptedModel, type ScriptedModel } from "./scripted-model.ts";

/** A call as the ledger has it. */
export interface LedgerLine {
  readonly provider: string;
  readonly endpoint: string;
  readonly status: number;
  readonly input: number | null;
  readonly output: number | null;
}

/** A person's home with a gateway beside it, and a model server behind that does what a script says. */
export interface ClientBench {
  readonly home: string;
  /** Where programs work. */
  readonly cwd: string;
  readonly gatewayUrl: string;
  readonly model: ScriptedModel;
  /** How the gateway serves an endpoint: by the provider itself, translated, or not at all. */
  support(endpoint: string): "native" | "translated" | "none";
  /** `miyabi setup TOOL --model MODEL`, with the tool's files in the home. */
  setUp(tool: ToolName, model: string | null): Promise<ToolResult>;
  makeKey(): Promise<string>;
  /** Runs a program in the home with nothing else of this machine's environment. */
  run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<RunResult>;
  made(): Promise<string | null>;
  ledger(): Promise<readonly LedgerLine[]>;
  cleanUp(): Promise<void>;
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GEMINI_API_KEY",
};
const PACKAGES_DIR = path.join(tmpdir(), "miyabi-test-agents");
const RUN_TIMEOUT_MS = 240_000;

/** The directory of an npm package of exactly this version, which later runs use again. */
export async function installClient(npm: string): Promise<string> {
  const directory = await installAgentPackage({
    profile: agentProfile.parse({ name: "client", title: npm, driver: "command", npm, command: "node" }),
    agentsDir: PACKAGES_DIR,
    sampleAgentDir: "",
    runner: systemProcessRunner,
    random: systemRandom,
    env: process.env,
    onProgress: () => {},
  });
  if (directory === null) throw new Error(`${npm} has no directory`);
  return path.join(directory, "node_modules");
}

/** `providers`: as in `miyabi.yaml`, for the model server's URL. */
export async function openClientBench(
  providers: (url: string) => Readonly<Record<string, unknown>>,
  script: Parameters<typeof startScriptedModel>[0],
): Promise<ClientBench> {
  const { database } = await createTestDatabase();
  const model = await startScriptedModel(script);
  const configured = providers(model.url);
  const subject = await startGateway({
    database,
    settings: { providers: configured },
    over: {
      findTranslation: createTranslations({ clock: systemClock, random: systemRandom }),
      // The usual providers are there without being named; only those that were asked for get a key.
      readSecret: (name) =>
        Object.keys(configured).some((provider) => KEY_NAMES[provider] === name) ? "sk-provider" : undefined,
    },
  });
  // Codex takes no home within the directory of temporary files.
  const root = await mkdtemp(path.join(homedir(), ".miyabi-test-clients-"));
  const [home, cwd, temporary] = [path.join(root, "home"), path.join(root, "work"), path.join(root, "tmp")];
  await Promise.all([home, cwd, temporary].map((directory) => mkdir(directory)));
  const handlers = createGatewayHandlers({
    gateway: subject.gateway,
    settings: () => gatewaySettings.parse({ providers: configured }),
    database,
    clock: systemClock,
  });
  const caller = { kind: "cli", name: "test" };
  const api = {
    url: subject.url,
    pid: process.pid,
    call: (name: keyof typeof handlers, input: { readonly body?: object } = {}) => {
      const body = name === "createGatewayKey" ? newGatewayKey.parse(input.body) : input.body;
      const handler = handlers[name] as (call: object) => unknown;
      return handler({ params: {}, query: {}, caller, ...input, body });
    },
  } as unknown as Client;
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, USER: "mika", SHELL: "/bin/sh" };
  return {
    home,
    cwd,
    gatewayUrl: subject.url,
    model,
    support: (endpoint) => {
      const rows = subject.gateway.providers().filter((row) => row.state === "ready");
      const found = new Set(
        rows.map((row) => Object.entries(row.endpoints).find(([name]) => name === endpoint)?.[1]),
      );
      return found.has("native") ? "native" : found.has("translated") ? "translated" : "none";
    },
    setUp: (name, chosen) =>
      setUpTool({
        name,
        place: { home, env, isOfAnother: false },
        api,
        clock: systemClock,
        model: chosen,
        isDryRun: false,
      }),
    makeKey: async () => (await api.call("createGatewayKey", { body: { name: "sdk", kind: "tool" } })).key,
    run: ([command = "", ...args], more) =>
      systemProcessRunner.run({
        command,
        args,
        cwd,
        env: { ...env, TMPDIR: temporary, LANG: "C.UTF-8", CI: "1", ...more },
        timeoutMs: RUN_TIMEOUT_MS,
      }),
    made: () => readFile(path.join(cwd, "made.txt"), "utf8").catch(() => null),
    ledger: async () => {
      await subject.gateway.costSince(new Date());
      const { rows } = await database.query<LedgerLine>(
        `select provider, endpoint, status, tokens_in::int as input, tokens_out::int as output
         from miyabi.model_calls order by started_at`,
      );
      return rows;
    },
    cleanUp: async () => {
      await subject.close();
      await model.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

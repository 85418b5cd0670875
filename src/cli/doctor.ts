import {
  resolveHome,
  silentLog,
  systemClock,
  systemProcessRunner,
  systemRandom,
  toAppError,
  type Home,
} from "../base/index.ts";
import { loadSecrets, loadSettings, settings as defaults, type Settings } from "../main/index.ts";
import { loadGitHub } from "../sources/index.ts";
import { openClient } from "./client.ts";
import { checkAgents, checkKeys } from "./doctor-agents.ts";
import { checkDatabase, checkPort, checkRunning } from "./doctor-running.ts";
import type { Examined, Finding, Running } from "./finding.ts";
import { checkWorkflow } from "./doctor-workflow.ts";
import { checkData, checkNode, checkSandbox, checkTool } from "./doctor-machine.ts";

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Looks at everything that the product needs on this machine; never throws for what it finds. */
export async function examine(env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const home = resolveHome(env);
  const [read, running] = await Promise.all([readSettings(home), findRunning(env)]);
  const examined: Examined = { env, home, settings: read.settings, running };
  const searchPath = env["PATH"] ?? DEFAULT_PATH;
  const tool = { processes: systemProcessRunner, searchPath };
  const findings = await Promise.all([
    Promise.resolve(checkNode()),
    attempt("git", () => checkTool({ ...tool, program: "git", version: "--version", lacking: "fail" })),
    attempt("tmux", () => checkTool({ ...tool, program: "tmux", version: "-V", lacking: "warn" })),
    attempt("sandbox", () => checkSandbox(searchPath)),
    attempt("data", () => checkData(home)),
    Promise.resolve(read.finding),
    attempt("database", () => checkDatabase(examined)),
    attempt("port", () => checkPort(examined)),
    attempt("agents", () => checkAgents(examined)),
    attempt("keys", () => checkKeys(examined)),
    Promise.resolve(checkRunning(examined)),
    checkWorkflow(process.cwd(), searchPath).catch((error: unknown) => failed("workflow", error)),
  ]);
  const hosted = await checkHosted(examined).catch((error: unknown) => [failed("github", error)]);
  return [...findings.filter((finding) => finding !== null), ...hosted];
}

/** The connection to GitHub, where there is one. */
async function checkHosted({ env, home, settings, running }: Examined): Promise<readonly Finding[]> {
  if (settings.github === undefined) return [];
  const [{ checkGitHub }, secrets] = await Promise.all([loadGitHub(), loadSecrets(home)]);
  return checkGitHub({
    settings: settings.github,
    readSecret: (name) => secrets.get(name) ?? env[name],
    isRunning: running !== null,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
}

async function attempt(name: string, check: () => Promise<Finding>): Promise<Finding> {
  return check().catch((error: unknown): Finding => failed(name, error));
}

function failed(name: string, error: unknown): Finding {
  const { message, fix } = toAppError(error);
  return { name, state: "fail", detail: message, fix };
}

async function readSettings(home: Home): Promise<{ readonly settings: Settings; readonly finding: Finding }> {
  try {
    const { settings, configured } = await loadSettings(home);
    const detail = configured ? home.configFile : "defaults; `miyabi init` in your repository makes your own";
    return { settings, finding: { name: "settings", state: "ok", detail, fix: null } };
  } catch (error) {
    return { settings: defaults.parse({}), finding: failed("settings", error) };
  }
}

async function findRunning(env: NodeJS.ProcessEnv): Promise<Running | null> {
  try {
    const client = await openClient(env);
    return { url: client.url, pid: client.pid, ...(await client.call("health")) };
  } catch {
    return null;
  }
}

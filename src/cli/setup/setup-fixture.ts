import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { setupCommandLine, type Answer, type CommandLine, type Request } from "../command-line-fixture.ts";
import { openClient } from "../client.ts";
import { createOutput, reportError } from "../output.ts";
import { runSetup, type SetupFlags } from "./command.ts";

export const KEY = "mk-abcdefgSECRET";
const AT = "2026-11-21T01:02:03.456Z";

export interface Gateway {
  /** States of the providers. */
  providers?: readonly ("ready" | "no-key")[];
  models?: readonly string[];
  /** Status of a model call. */
  status?: number;
  revoked?: boolean;
}

/** The API and the gateway, as far as setup asks them. */
export async function setup(gateway: Gateway = {}) {
  const calls: Request[] = [];
  const view = (name: string) => ({
    id: "K1",
    name,
    kind: "tool",
    team: null,
    taskId: null,
    models: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    budgetDayMicros: null,
    budgetMonthMicros: null,
    budgetTaskMicros: null,
    cache: false,
    expiresAt: null,
    start: KEY.slice(0, 10),
    createdAt: AT,
    createdBy: "cli",
    revokedAt: gateway.revoked === true ? AT : null,
  });
  const provider = (state: string) => ({
    name: "p",
    kind: "openai",
    title: "P",
    baseUrl: null,
    state,
    key: null,
    breaker: null,
    free: false,
    models: [],
    endpoints: {},
  });
  const answer = (request: Request): Answer => {
    calls.push(request);
    const { method, url } = request;
    if (url === "/api/gateway/keys" && method === "POST")
      return { status: 201, body: { ...view((request.body as { name: string }).name), key: KEY } };
    if (url === "/api/gateway/keys") return { status: 200, body: { items: [view("claude")] } };
    if (url.endsWith("/revoke")) return { status: 200, body: view("claude") };
    if (url === "/api/gateway/providers")
      return { status: 200, body: { items: (gateway.providers ?? ["ready"]).map(provider) } };
    const shown = [request.headers.authorization, request.headers["x-goog-api-key"]].join();
    if (!shown.includes(KEY)) return { status: 401, body: { error: { message: "no such key" } } };
    const models = gateway.models ?? [
      "text-embedding-3",
      "gpt-5-mini",
      "gpt-5.1",
      "claude-sonnet-4-5",
      "gemini-2.5-pro",
    ];
    if (url === "/v1/models") return { status: 200, body: { data: models.map((id) => ({ id })) } };
    if (url === "/v1beta/models")
      return { status: 200, body: { models: models.map((id) => ({ name: `models/${id}` })) } };
    return { status: gateway.status ?? 200, body: { error: { message: "overloaded" } } };
  };
  const line = await setupCommandLine(answer);
  const put = async (name: string, text: string): Promise<string> => {
    const file = path.join(line.dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o644 });
    return file;
  };
  const made = () =>
    calls.filter((call) => call.method === "POST" && call.url === "/api/gateway/keys").length;
  return {
    ...line,
    calls,
    put,
    made,
    start: line.run,
    run: (...words: readonly string[]) => run(line.env, words),
  };
}

/** `miyabi setup` in this process: the command line around it costs a second a call. */
async function run(env: NodeJS.ProcessEnv, words: readonly string[]) {
  const said = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof said) => ({
    write: (text: unknown) => {
      said[name] += String(text);
      return true;
    },
  });
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      all: { type: "boolean" },
      undo: { type: "boolean" },
      "dry-run": { type: "boolean" },
      json: { type: "boolean" },
      model: { type: "string" },
      home: { type: "string" },
    },
  });
  const { all, undo, model, home, json = false } = values;
  const flags: SetupFlags = {
    ...(all === true ? { all } : {}),
    ...(undo === true ? { undo } : {}),
    ...(values["dry-run"] === true ? { dryRun: true } : {}),
    ...(model === undefined ? {} : { model }),
    ...(home === undefined ? {} : { home }),
  };
  const streams = { json, env, stdout: stream("stdout"), stderr: stream("stderr") };
  const context = { env, output: createOutput(streams), client: () => openClient(env) };
  const code = await runSetup(context, positionals[1], flags).catch((error: unknown) =>
    reportError(error, streams),
  );
  return { code, ...said };
}

/** Name, mode and content of every file of the home but ours. */
export async function snapshot({ dir }: CommandLine): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !path.relative(dir, file).startsWith("data/") && !file.includes("/.local/state/"));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [
        path.relative(dir, file),
        `${((await stat(file)).mode & 0o777).toString(8)} ${await readFile(file, "utf8")}`,
      ]),
    ),
  ) as Record<string, string>;
}

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { resolveHome, type Home } from "../base/index.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Request {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export interface CommandLine {
  readonly dir: string;
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  /** What the server was asked, in order. */
  readonly requests: readonly Request[];
  /** Runs `miyabi` in a process of its own. */
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** An empty installation, in which a server answers as told where `answer` is given. All of it ends with the test. */
export async function setupCommandLine(answer?: (request: Request) => Answer): Promise<CommandLine> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "miyabi-cli-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const env = { PATH: process.env["PATH"], HOME: dir, MIYABI_HOME: path.join(dir, "data"), TZ: "UTC" };
  const home = resolveHome(env);
  const requests: Request[] = [];
  if (answer !== undefined) {
    const port = await serve(requests, answer);
    await mkdir(home.runDir, { recursive: true });
    await writeFile(path.join(home.runDir, "token"), "secret\n");
    await writeFile(
      path.join(home.runDir, "control-plane.json"),
      JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: process.pid }),
    );
  }
  return { dir, home, env, requests, run: (...args) => run(dir, env, args) };
}

async function serve(requests: Request[], answer: (request: Request) => Answer): Promise<number> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const request = {
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        headers: incoming.headers,
        body: text === "" ? null : (JSON.parse(text) as unknown),
      };
      requests.push(request);
      const { status, body } = answer(request);
      outgoing.writeHead(status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function run(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): ReturnType<CommandLine["run"]> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "main.ts"), ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A task as the API answers it, with what a test wants to be different. */
export function taskAnswer(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const at = "2026-11-21T01:02:03.456Z";
  return {
    id: "T1",
    title: "お品書きを日本語で表示する",
    state: "ready",
    reason: null,
    waitsFor: null,
    repositoryId: "r",
    repositoryName: "menu",
    source: "api",
    labels: [],
    class: "P2",
    deadlineAt: at,
    step: "implement",
    slot: null,
    attempts: 0,
    rounds: 0,
    branch: null,
    mergeCommit: null,
    costMicros: null,
    createdAt: at,
    updatedAt: at,
    startedAt: null,
    finishedAt: null,
    body: "",
    targetBranch: "main",
    baseCommit: null,
    headCommit: null,
    dependsOn: [],
    dependents: [],
    steps: [],
    runs: [],
    report: null,
    takenOver: false,
    actions: [],
    ...changes,
  };
}

export function problemAnswer(status: number, code: string, detail: string, fix: string | null): Answer {
  return {
    status,
    body: {
      type: `urn:miyabi:error:${code}`,
      title: code,
      status,
      code,
      detail,
      fix,
      retryable: false,
      details: {},
    },
  };
}

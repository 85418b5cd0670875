import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { AppError, ensurePrivateDirectory, resolveHome, spawnProcess, systemClock } from "../base/index.ts";
import { action, type CommandContext } from "./context.ts";
import { runDemo } from "./demo.ts";
import { openClient } from "./client.ts";
import { answers, shutDown } from "./lifecycle.ts";

const START_DEADLINE_MS = 90_000;

interface UpFlags {
  readonly detach?: true;
  readonly port?: number;
  readonly demo: boolean;
  readonly agent?: string;
  readonly runtime?: "tmux" | "process";
  readonly unsafeNoSandbox?: true;
}

const portOption = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return port;
};

export function addRunCommands(program: Command): void {
  const up = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("--port <number>", "port of console and API", portOption)
      .option("--no-demo", "do not work on the sample project when nothing is configured")
      .option("--agent <profile>", "agent for the sample project, e.g. claude")
      .option("--runtime <kind>", "tmux or process")
      .option("--unsafe-no-sandbox", "run agents without a sandbox: they can read and change what you can");
  up("up", "start and stay in the foreground")
    .option("-d, --detach", "start in the background")
    .action(
      action(async ({ output }, flags: UpFlags) => {
        if (flags.detach === true) return startDetached(flags, output.note);
        const { runUp } = await import("../main/index.ts");
        return runUp({
          env: process.env,
          port: flags.port ?? null,
          demo: flags.demo ? "auto" : "never",
          profile: flags.agent ?? null,
          runtime: flags.runtime ?? null,
          unsafeNoSandbox: flags.unsafeNoSandbox === true,
          json: output.json,
        });
      }),
    );
  up("start", "start in the background").action(
    action(({ output }, flags: UpFlags) => startDetached(flags, output.note)),
  );
  program
    .command("demo")
    .description("let the team carry a sample project's issues to merged changes")
    .option("--exit", "end when all is done; exit code 0 only if every task is done")
    .option("--agent <profile>", "a real agent instead of the sample agent, e.g. claude")
    .option("--port <number>", "port, where this starts the product", portOption)
    .action(
      action((context: CommandContext, flags: { exit?: true; agent?: string; port?: number }) =>
        runDemo(context, flags, (note) =>
          startDetached({ demo: false, ...(flags.port === undefined ? {} : { port: flags.port }) }, note),
        ),
      ),
    );
  program
    .command("shutdown")
    .description("end agents, control plane and database in order")
    .action(
      action(async ({ client, output }) => {
        await shutDown(await client());
        output.result({ stopped: true }, "Stopped.");
      }),
    );
}

/** Starts this program's `up` as a process of its own and waits until the API answers. */
async function startDetached(flags: UpFlags, note: (text: string) => void): Promise<number> {
  const home = resolveHome(process.env);
  await ensurePrivateDirectory(home.root, 0o711);
  await ensurePrivateDirectory(home.logsDir);
  const logFile = path.join(home.logsDir, "up.log");
  const log = await open(logFile, "w", 0o600);
  const args = [
    process.argv[1] ?? "",
    "up",
    ...(flags.port === undefined ? [] : ["--port", String(flags.port)]),
    ...(flags.demo ? [] : ["--no-demo"]),
    ...(flags.agent === undefined ? [] : ["--agent", flags.agent]),
    ...(flags.runtime === undefined ? [] : ["--runtime", flags.runtime]),
    ...(flags.unsafeNoSandbox === true ? ["--unsafe-no-sandbox"] : []),
  ];
  const child = spawnProcess(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: process.env,
  });
  let ended: number | null = null;
  child.on("exit", (code) => (ended = code ?? 70));
  child.unref();
  await log.close();
  note("Starting miyabi …");
  const deadline = systemClock.monotonicMs() + START_DEADLINE_MS;
  for (;;) {
    const client = await openClient(process.env).catch(() => null);
    if (ended === null && client !== null && (await answers(client.url))) {
      note(`miyabi runs: ${client.url.replace("127.0.0.1", "localhost")}`);
      return 0;
    }
    if (ended !== null || systemClock.monotonicMs() > deadline) {
      process.stderr.write((await readFile(logFile, "utf8")).split("\n").slice(-20).join("\n"));
      if (ended === 75) return 75;
      throw new AppError({
        code: "daemon.start_failed",
        message: "miyabi did not start.",
        fix: `Its output is in ${logFile}.`,
      });
    }
    await systemClock.sleep(100);
  }
}

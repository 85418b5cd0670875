import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import {
  ensurePrivateDirectory,
  messageOf,
  resolveHome,
  systemClock,
  systemProcessRunner,
  systemRandom,
} from "../../base/index.ts";
import { createGit } from "../../repositories/index.ts";
import { openAgent } from "../drivers/index.ts";
import { installAgentPackage } from "../profiles/index.ts";
import { readHostLayout } from "../sandbox/index.ts";
import { serveConductor } from "./conductor.ts";
import { runHost } from "./host.ts";
import { createHostLog } from "./host-log.ts";
import { parseHostOptions } from "./options.ts";
import { createPane } from "./pane/pane.ts";
import { takeSlot } from "./slot-lock.ts";
import { openSlotSpool } from "./spool.ts";

/** The program in each pane. It ends with 0 when drained or replaced; any fault ends it and the watchdog starts it again. */
async function main(): Promise<number> {
  const options = parseHostOptions(process.argv.slice(2));
  const home = resolveHome(process.env);
  const directory = path.join(home.spoolDir, options.slot);
  const spool = await openSlotSpool(directory);
  const log = createHostLog({ file: spool.file("host.log"), level: "info", now: () => systemClock.now() });
  const pane = createPane({
    name: options.name,
    role: options.role,
    color: options.color,
    input: process.stdin,
    output: process.stdout,
  });
  const onFault = (error: unknown): void => {
    log.error({ error: messageOf(error), stack: error instanceof Error ? error.stack : null }, "uncaught");
    pane.hint(`The agent host failed and starts again: ${messageOf(error)}`);
    process.exit(70);
  };
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  // The terminal goes away with its pane; the file of the process runtime may be on a full disk.
  process.stdout.on("error", () => {});
  process.stdin.on("error", () => {});

  const lock = await takeSlot(directory, systemClock);
  await ensurePrivateDirectory(options["agents-dir"], 0o755);
  await mkdir(path.join(home.runDir, "runs"), { recursive: true, mode: 0o700 });
  const searchPath = process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const git = createGit({ processes: systemProcessRunner, searchPath });
  const readToken = async (): Promise<string> => (await readFile(options["token-file"], "utf8")).trim();
  if (options.role === "conductor" && options.cli !== undefined)
    serveConductor({ pane, runner: systemProcessRunner, cli: options.cli, env: process.env });
  const end = await runHost({
    slot: options.slot,
    machine: options.machine,
    url: options.url,
    readToken,
    spool,
    lock,
    pane,
    tools: {
      machine: {
        controlPlaneUrl: options.url,
        mcpUrl: new URL("/mcp", options.url).href,
        runDir: home.runDir,
        homeRoot: home.root,
        layout: await readHostLayout(searchPath),
        readOnlyBinds: [options["agents-dir"], options["sample-dir"], ...options["read-only"]],
        nodeFile: process.execPath,
      },
      git,
      runner: systemProcessRunner,
      openAgent,
      openPackage: (params) =>
        installAgentPackage({
          ...params,
          agentsDir: options["agents-dir"],
          sampleAgentDir: options["sample-dir"],
          runner: systemProcessRunner,
          random: systemRandom,
          env: process.env,
        }),
      readToken,
      terminal: pane,
      clock: systemClock,
      random: systemRandom,
      log,
    },
    clock: systemClock,
    random: systemRandom,
    log,
  });
  log.info({ end }, "host ends");
  pane.close();
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(70);
  },
);

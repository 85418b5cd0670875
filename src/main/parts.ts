import path from "node:path";
import { loadSlots, probeSandbox, readHostLayout } from "../agents/index.ts";
import {
  commandName,
  createPlainLog,
  openGatheredStderr,
  systemClock,
  systemProcessRunner,
  systemRandom,
  type Home,
  type Log,
} from "../base/index.ts";
import { createChat } from "../chat/index.ts";
import { createCostQueries, createGateway, createTranslations, REQUEST_LOGGER } from "../gateway/index.ts";
import { appendTranscript } from "../logs/index.ts";
import { openTokenFile } from "../security/index.ts";
import { loadGitHub } from "../sources/index.ts";
import { because, createHeartbeat, createOutboxWorker, createTaskQueries } from "../tasks/index.ts";
import { createAgentDesk } from "./agent-desk.ts";
import { createAgentServices, isOnPath } from "./agent-services.ts";
import { createChatCommands } from "./chat-commands.ts";
import { chatKeyTerms } from "./chat-key-terms.ts";
import { classifyKeyTerms } from "./classify-key-terms.ts";
import { createCompletion } from "./completion.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { lackOfDiskRoom } from "./disk-room.ts";
import { openDomain } from "./domain.ts";
import { watchGatewaySettings } from "./gateway-settings-watch.ts";
import { createHousekeeping } from "./housekeeping.ts";
import type { Installation } from "./installation.ts";
import type { Settings } from "./settings.ts";
import { createStatusDesk } from "./status-desk.ts";
import type { ChildOptions } from "./up.ts";

export interface ControlPlaneParams {
  readonly home: Home;
  readonly settings: Settings;
  readonly configured: boolean;
  readonly secrets: ReadonlyMap<string, string>;
  readonly installation: Installation;
  readonly connectionUrl: string;
  readonly options: ChildOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** The API was asked to end the product. */
  readonly onShutDown: () => void;
}

/** Builds every part of the control plane once; nothing runs yet but the connections to the database. */
export async function openParts(params: Readonly<ControlPlaneParams>) {
  const { home, settings, installation, options, env, log } = params;
  const clock = systemClock;
  const random = systemRandom;
  const runner = systemProcessRunner;
  const searchPath = env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const port = options.port ?? settings.port;
  const url = `http://127.0.0.1:${port}`;
  const domain = await openDomain({
    connectionUrl: params.connectionUrl,
    migrationsDir: installation.migrationsDir,
    home,
    settings,
    searchPath,
    // Only a server that is not ours alone can have others on it.
    identity: isShared(params)
      ? await openTokenFile({ file: path.join(home.root, "machine.identity"), random })
      : null,
    clock,
    random,
    runner,
    log,
  });
  const { database } = domain;

  const hostTokenFile = path.join(home.runDir, "host-token");
  const [cliToken, hostToken, layout] = await Promise.all([
    openTokenFile({ file: path.join(home.runDir, "token"), random }),
    openTokenFile({ file: hostTokenFile, random }),
    readHostLayout(searchPath),
  ]);
  const probe = await probeSandbox({ runner, layout, clock });
  const runtime = options.runtime ?? settings.runtime ?? (isOnPath("tmux", searchPath) ? "tmux" : "process");
  const records = await loadSlots(database);
  const draining = new Set(
    [...records.values()].filter((record) => record.draining).map((record) => record.slot),
  );
  const github =
    settings.github === undefined
      ? null
      : (await loadGitHub()).openGitHub({
          settings: settings.github,
          readSecret: (name) => params.secrets.get(name) ?? env[name],
          database,
          notifier: domain.notifier,
          tasks: domain.tasks,
          intake: domain.intake,
          git: domain.git,
          home,
          work: domain.work,
          consoleUrl: `http://localhost:${port}`,
          // Asked only while it runs, when the parts below are there.
          commandPorts: {
            explain: (taskId) => reads.explain(taskId, clock.now()),
            tell: (slot, text, by) => desk.tell(slot, text, by),
            endingRunOf: (taskId, work) => desk.cancelRunOf(taskId, work),
          },
          modelAccess: {
            gatewayUrl: url,
            key: async () => {
              const { classify } = settings.github ?? {};
              const file = path.join(home.root, "classification-key.secret");
              const key = `mk-${await openTokenFile({ file, random })}`;
              if (classify !== undefined)
                await gateway.keys.ensure(key, classifyKeyTerms(classify), "github");
              return key;
            },
          },
          clock,
          random,
          log,
        });
  const services = createAgentServices({
    domain,
    transcripts: { append: (items) => appendTranscript(database, items) },
    home,
    installation,
    settings,
    url,
    hostTokenFile,
    runtime,
    sandbox: probe.available ? "bubblewrap" : "none",
    unsandboxed: options.unsafeNoSandbox ? "all" : "sample",
    env: passedOn(env, searchPath),
    draining,
    syncFor: github?.syncFor ?? (() => Promise.resolve()),
    mayStart: github?.mayStart ?? (() => Promise.resolve(true)),
    clock,
    random,
    runner,
    log,
  });

  const gatewaySettings = watchGatewaySettings({ home, initial: settings.gateway, clock, random, log });
  const gateway = createGateway({
    settings: gatewaySettings.current,
    readSecret: (name) => params.secrets.get(name) ?? env[name],
    identifyRun: domain.runs.identify,
    identityFile: path.join(home.root, "provider-keys.identity"),
    database,
    clock,
    random,
    log,
    requestLog: createPlainLog({ name: REQUEST_LOGGER, destination: openGatheredStderr(50) }),
    findTranslation: createTranslations({ clock, random }),
  });
  const desk = createAgentDesk({ domain, services, defaultProfile: settings.agent, draining, clock });
  const reads = createTaskQueries({
    database,
    costs: createCostQueries(database),
    team: {
      machine: domain.machine?.name ?? null,
      slots: desk.facts,
      cannotRun: async ({ source }) =>
        probe.available || options.unsafeNoSandbox || source === "sample"
          ? lackOfDiskRoom(home)
          : because("sandbox.missing", `${probe.reason} Only the sample runs.`, {}, probe.fix),
    },
  });
  const deadLetters = createDeadLetters({ database });
  const status = createStatusDesk({
    deadLetters,
    domain,
    reads,
    agents: desk,
    version: installation.version,
    command: commandName(env, installation.launcher),
    lackOfDiskRoom: () => lackOfDiskRoom(home),
    gitHubUsage: github?.usage ?? null,
    cacheHealth: gateway.cacheHealth,
    sandbox: probe.available
      ? { state: "ok", detail: `bubblewrap ${probe.version}`, fix: null }
      : { state: "degraded", detail: `${probe.reason} Only the sample runs.`, fix: probe.fix },
    runtime:
      runtime === "tmux"
        ? { state: "ok", detail: "tmux", fix: null }
        : {
            state: "degraded",
            detail: "tmux is missing: agents run without panes.",
            fix: "apt-get install tmux",
          },
    clock,
  });
  const completion = createCompletion({ domain, home, clock, random, log });
  const outbox = createOutboxWorker({
    database,
    notifier: domain.notifier,
    handlers: github?.handlers ?? new Map(),
    clock,
    random,
    log,
  });
  const housekeeping = createHousekeeping({ database, git: domain.git, home, clock, random, log });
  const chat = createChat({
    database,
    notifier: domain.notifier,
    settings: settings.chat,
    personaDirectories: [installation.personasDir, path.join(home.root, "personas")],
    gatewayUrl: url,
    keySecret: await openTokenFile({ file: path.join(home.root, "chat-keys.secret"), random }),
    ensureKey: async ({ key, name }) =>
      void (await gateway.keys.ensure(key, chatKeyTerms(name, settings.chat), "chat")),
    holder: domain.machine?.name ?? home.instance,
    commands: createChatCommands({ intake: domain.intake, reads, agents: desk }),
    clock,
    random,
    log,
  });
  const heartbeat =
    domain.machine === null
      ? []
      : [createHeartbeat({ database, machine: domain.machine, clock, random, log })];
  return {
    clock,
    random,
    heartbeat,
    deadLetters,
    port,
    url,
    cliToken,
    hostToken,
    domain,
    github,
    services,
    gatewaySettings,
    gateway,
    desk,
    reads,
    status,
    completion,
    outbox,
    housekeeping,
    chat,
  };
}
export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Whether the database is an operator's: other control planes may work on it. */
function isShared({ env, secrets }: Readonly<ControlPlaneParams>): boolean {
  return (env["DATABASE_URL"] ?? secrets.get("DATABASE_URL") ?? "") !== "";
}

/** What agent hosts get of our environment: where programs are, and how text is written. Nothing that could be a secret. */
function passedOn(
  env: Readonly<Record<string, string | undefined>>,
  searchPath: string,
): Record<string, string> {
  const names = ["LANG", "LC_ALL", "LC_CTYPE", "TERM", "TZ", "COLORTERM", "SAMPLE_AGENT_PACE_MS"];
  // For npm, which installs an agent before its first run.
  names.push("HOME", "NODE_EXTRA_CA_CERTS", "npm_config_registry", "npm_config_cafile");
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) names.push(name, name.toLowerCase());
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { PATH: searchPath, LANG: "C.UTF-8", ...Object.fromEntries(kept) };
}

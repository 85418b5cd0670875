import path from "node:path";
import { loadSlots, probeSandbox, readHostLayout } from "../agents/index.ts";
import { createApiServer, createHostsPlugin, createSecondListener, listen } from "../api/index.ts";
import {
  createLog,
  systemClock,
  systemProcessRunner,
  systemRandom,
  writeFileAtomic,
  type Home,
  type Log,
  commandName,
} from "../base/index.ts";
import { createCostQueries, createGateway, createTranslations, REQUEST_LOGGER } from "../gateway/index.ts";
import { appendTranscript, readLogs } from "../logs/index.ts";
import { createMcpPlugin, VERDICTS } from "../messages/index.ts";
import { acceptHandover } from "../agents/index.ts";
import { createSessions, ADMIN_PERMISSIONS, openTokenFile } from "../security/index.ts";
import { loadGitHub } from "../sources/index.ts";
import { because, createOutboxWorker, createTaskQueries, EVENTS_CHANNEL } from "../tasks/index.ts";
import { createAgentDesk } from "./agent-desk.ts";
import { createAgentServices, isOnPath } from "./agent-services.ts";
import { createChat } from "../chat/index.ts";
import { createChatCommands } from "./chat-commands.ts";
import { createChatHandlers } from "./chat-handlers.ts";
import { chatKeyTerms } from "./chat-key-terms.ts";
import { createCompletion } from "./completion.ts";
import { openDomain } from "./domain.ts";
import { createGatewayHandlers } from "./gateway-handlers.ts";
import { watchGatewaySettings } from "./gateway-settings-watch.ts";
import { createHandlers } from "./handlers.ts";
import { createHousekeeping, sweepCaches } from "./housekeeping.ts";
import type { Installation } from "./installation.ts";
import { createMetrics } from "./metrics.ts";
import { createRunPorts } from "./run-ports.ts";
import { sampleName, startSample } from "./sample.ts";
import type { Settings } from "./settings.ts";
import { lackOfDiskRoom } from "./disk-room.ts";
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

export interface ControlPlane {
  readonly url: string;
  /** The sample was started because nothing is configured. */
  readonly sample: string | null;
  /** Ends everything in order. `agents`: their hosts too; otherwise they go on and are adopted by the next start. */
  stop(params: { readonly agents: boolean }): Promise<void>;
}

/** The composition root: builds every part once, starts them in order, and says where it listens. */
export async function startControlPlane(params: Readonly<ControlPlaneParams>): Promise<ControlPlane> {
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
          consoleUrl: `http://localhost:${port}`,
          // Asked only while it runs, when the parts below are there.
          commandPorts: {
            explain: (taskId) => reads.explain(taskId, clock.now()),
            tell: (slot, text, by) => desk.tell(slot, text, by),
            endingRunOf: (taskId, work) => desk.cancelRunOf(taskId, work),
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
    requestLog: createLog({ name: REQUEST_LOGGER, redacts: false }),
    findTranslation: createTranslations({ clock, random }),
  });
  const desk = createAgentDesk({ domain, services, defaultProfile: settings.agent, draining, clock });
  const reads = createTaskQueries({
    database,
    costs: createCostQueries(database),
    team: {
      slots: desk.facts,
      cannotRun: async ({ source }) =>
        probe.available || options.unsafeNoSandbox || source === "sample"
          ? lackOfDiskRoom(home)
          : because("sandbox.missing", `${probe.reason} Only the sample runs.`, {}, probe.fix),
    },
  });
  const status = createStatusDesk({
    domain,
    reads,
    agents: desk,
    version: installation.version,
    command: commandName(env, installation.launcher),
    lackOfDiskRoom: () => lackOfDiskRoom(home),
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
  const sessions = createSessions({ database, random, clock });
  const sample = { home, installation, git: domain.git, intake: domain.intake, clock, random };
  const createLoginLink = async (): Promise<{ url: string; expiresAt: Date }> => {
    const { code, expiresAt } = await sessions.createLoginCode({
      name: "browser",
      permissions: ADMIN_PERMISSIONS,
    });
    return { url: `http://localhost:${port}/login#${code}`, expiresAt };
  };
  const metrics = createMetrics({ domain, agents: desk });
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
    holder: home.instance,
    commands: createChatCommands({ intake: domain.intake, reads, agents: desk }),
    clock,
    random,
    log,
  });
  const opened = Promise.withResolvers<void>();
  const server = await createApiServer({
    handlers: {
      ...createHandlers({
        domain,
        reads,
        agents: desk,
        status,
        clock,
        cachesDir: home.repositoriesDir,
        startDemo: (profile) => startSample(sample, { name: sampleName(sample), profile }),
        createLoginLink,
        shutDown: params.onShutDown,
      }),
      ...createGatewayHandlers({ gateway, database, clock }),
      ...createChatHandlers(chat),
      listLogs: ({ query }) =>
        readLogs(database, {
          taskId: query.task,
          slot: query.agent,
          since: query.since === undefined ? undefined : new Date(query.since),
          cursor: query.cursor,
          limit: query.limit,
        }),
    },
    streams: {
      database,
      notifier: domain.notifier,
      screen: desk.screen,
      chat: { feed: chat.feed, requireThread: chat.require },
      clock,
      log,
    },
    chatFile: chat.attachment,
    sessions,
    cliToken,
    hosts: settings.hosts,
    ...(settings.chat.port === null
      ? {}
      : { portAliases: new Map([[String(settings.chat.port), String(port)]]) }),
    webDir: installation.webDir,
    version: installation.version,
    plugins: [
      gateway.plugin,
      createMcpPlugin({
        version: installation.version,
        database,
        mailboxes: domain.mailboxes,
        questions: domain.questions,
        log,
        runs: createRunPorts({ domain, hub: services.hub, verdicts: VERDICTS }),
      }),
      createHostsPlugin({
        hub: services.hub,
        hostToken,
        maxHandoverBytes: settings.limits.handoverBytes,
        acceptHandover: (run, body) =>
          acceptHandover(
            { database, git: domain.git, home, random, maxBytes: settings.limits.handoverBytes },
            run,
            body,
          ),
      }),
    ],
    health: async () => {
      const components = await status.health();
      return {
        ok: components.every((one) => one.state !== "down"),
        body: {
          status: components.every((one) => one.state === "ok") ? "ok" : "degraded",
          version: installation.version,
          components,
        },
      };
    },
    metrics: async () => (await Promise.all([metrics(), gateway.metrics()])).join("\n"),
    log,
    opened: opened.promise,
  });

  const chatListener =
    settings.chat.port === null
      ? []
      : [
          createSecondListener({
            fastify: server,
            host: "127.0.0.1",
            port: settings.chat.port,
            startPage: "/chat",
            clock,
            random,
            log,
          }),
        ];
  // First of all, because a port that is taken must leave nothing behind.
  await listen(server, { host: "127.0.0.1", port });
  // Who answers can be found: a command that is typed now must not hear that nothing runs.
  await writeFileAtomic(
    path.join(home.runDir, "control-plane.json"),
    JSON.stringify({ url, pid: process.pid }),
  );
  await github?.listener?.start();
  // Hosts that outlived the last control plane get one lease to come back before anything is taken from them.
  await domain.runs.extendAll(services.leaseMs);
  await sweepCaches({ git: domain.git, home });
  domain.notifier.subscribe(EVENTS_CHANNEL, () => {
    for (const loop of [domain.mergeQueue, completion, services.mailman, services.dispatcher]) loop.rouse();
  });
  for (const part of [domain.notifier, domain.queue, gatewaySettings, gateway]) await part.start();
  opened.resolve();
  const parts = [
    ...chat.services,
    ...chatListener,
    domain.mergeQueue,
    completion,
    housekeeping,
    outbox,
    ...(github?.services ?? []),
    services.mailman,
    services.dispatcher,
    services.watchdog,
  ];
  for (const part of parts) await part.start();

  const { rows } = await database.query("select 1 from miyabi.tasks limit 1");
  const wantsSample = options.demo === "auto" && !params.configured && rows.length === 0;
  const started = wantsSample
    ? await startSample(sample, { name: "menu-card", profile: options.profile })
    : null;

  return {
    url,
    sample: started?.repositoryPath ?? null,
    stop: async ({ agents }) => {
      for (const part of [
        services.watchdog,
        services.dispatcher,
        services.mailman,
        ...(github?.services ?? []),
        outbox,
        housekeeping,
        completion,
        domain.mergeQueue,
        ...chatListener,
        ...chat.services.toReversed(),
      ])
        await part.stop();
      if (agents) await services.runtime.stopAll();
      await github?.listener?.stop();
      await server.close();
      for (const part of [gateway, gatewaySettings, domain.queue, domain.notifier]) await part.stop();
      await database.close();
    },
  };
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

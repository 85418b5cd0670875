import path from "node:path";
import { createSecondListener, listen } from "../api/index.ts";
import { writeFileAtomic } from "../base/index.ts";
import { EVENTS_CHANNEL } from "../tasks/index.ts";
import { sweepCaches } from "./housekeeping.ts";
import { openParts, type ControlPlaneParams } from "./parts.ts";
import { startSample } from "./sample.ts";
import { createServer } from "./server.ts";

export interface ControlPlane {
  readonly url: string;
  /** The sample was started because nothing is configured. */
  readonly sample: string | null;
  /** Ends everything in order. `agents`: their hosts too; otherwise they go on and are adopted by the next start. */
  stop(params: { readonly agents: boolean }): Promise<void>;
}

/** Builds every part once, starts them in order, and says where it listens. */
export async function startControlPlane(params: Readonly<ControlPlaneParams>): Promise<ControlPlane> {
  const { home, settings, installation, options, log } = params;
  const parts = await openParts(params);
  const { clock, random, port, url, domain, services, gateway, gatewaySettings, github, chat } = parts;
  const { completion, heartbeat, housekeeping, outbox } = parts;
  const { database } = domain;
  const sample = { home, installation, git: domain.git, intake: domain.intake, clock, random };
  const opened = Promise.withResolvers<void>();
  const server = await createServer({ ...params, parts, sample, opened: opened.promise });
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
  const running = [
    ...heartbeat,
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
  for (const part of running) await part.start();

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
        ...heartbeat,
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

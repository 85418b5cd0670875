import { createServer, type Server } from "node:http";
import { z } from "zod";
import { errnoOf, type Random } from "../../../base/index.ts";
import type { GitHubApp } from "../app/github-app.ts";
import { webhookUrl } from "../app/manifest.ts";
import type { WebhookSettings } from "../settings.ts";
import { WEBHOOK_PATH } from "../webhooks/listener.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";
import { reach, type Reply } from "./request.ts";

export interface CheckWebhooksParams {
  readonly settings: WebhookSettings | undefined;
  readonly readSecret: (name: string) => string | undefined;
  /** Whether the product runs, so that the port is its own. */
  readonly isRunning: boolean;
  /** Null: we connect with a token. */
  readonly app: GitHubApp | null;
  readonly pollSeconds: number;
  readonly random: Random;
}

const SECRET = "github.webhooks.secret";
const LISTENER = "github.webhooks.listener";
const PUBLIC = "github.webhooks.public";
const APP = "github.webhooks.app";
const LEAST_SECRET = 16;
/** What our listener answers to a request that is no delivery. */
const OURS = /^Deliveries are sent with POST\./;

const hookReply = z.object({ url: z.string().nullish(), content_type: z.string().nullish() });
const deliveriesReply = z.array(
  z.object({ status_code: z.number(), status: z.string(), delivered_at: z.string(), event: z.string() }),
);

/**
 * Whether GitHub's webhooks reach us: the secret, the listener's port, the public address as seen from here, and what GitHub itself says
 * of our app's hook. While the product is not running, a listener of this check stands in for it and is gone afterwards.
 */
export async function checkWebhooks(params: Readonly<CheckWebhooksParams>): Promise<readonly Finding[]> {
  const { settings } = params;
  if (settings === undefined)
    return [ok("github.webhooks", `none configured; changes are asked for every ${params.pollSeconds} s`)];
  return [
    ...[settings.secretEnv, settings.previousSecretEnv]
      .filter((name) => name !== undefined)
      .map((name) => checkSecret(name, params.readSecret(name))),
    ...(await checkListener(settings, params)),
    ...(params.app === null ? [] : await checkHook(params.app, settings)),
  ];
}

function checkSecret(name: string, value: string | undefined): Finding {
  const isThere = value !== undefined && value.length >= LEAST_SECRET;
  return isThere
    ? ok(SECRET, `${name} is set`)
    : fail(
        SECRET,
        value === undefined || value === ""
          ? `${name} is not set.`
          : `${name} is too short for a secret; it needs ${LEAST_SECRET} characters.`,
        `Write a line ${name}=… into .env (openssl rand -hex 32), and the same secret to the webhook on GitHub.`,
      );
}

async function checkListener(
  settings: WebhookSettings,
  { isRunning, random }: Readonly<CheckWebhooksParams>,
): Promise<readonly Finding[]> {
  const { host, port } = settings;
  const local = `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${port}${WEBHOOK_PATH}`;
  if (isRunning) {
    const reply = await reach(local);
    const listens = OURS.test(String(reply.data));
    return [
      listens
        ? ok(LISTENER, `${host}:${port} takes deliveries`)
        : fail(
            LISTENER,
            `${local} is not answered by miyabi (${what(reply)}).`,
            "miyabi shutdown && miyabi up --detach",
          ),
      ...(await checkPublic(settings, (reply) => OURS.test(String(reply.data)))),
    ];
  }
  const word = random.token();
  const server = await listen(host, port, word);
  if (typeof server === "string")
    return [
      fail(
        LISTENER,
        server === "EADDRINUSE"
          ? `Another program listens on ${host}:${port}.`
          : `${host}:${port} cannot be listened on (${server}).`,
        "End that program, or choose another address: `github.webhooks` in miyabi.yaml.",
      ),
    ];
  try {
    return [
      ok(LISTENER, `${host}:${port} is free`),
      ...(await checkPublic(settings, (reply) => reply.data === word)),
    ];
  } finally {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

async function checkPublic(
  { publicUrl, host, port }: WebhookSettings,
  isOurs: (reply: Reply) => boolean,
): Promise<readonly Finding[]> {
  if (publicUrl === undefined) return [];
  const url = webhookUrl(publicUrl);
  const reply = await reach(url);
  return [
    isOurs(reply)
      ? ok(PUBLIC, `${url} leads here`)
      : fail(
          PUBLIC,
          reply.status === 0
            ? `${url} cannot be reached: ${reply.said}`
            : `${url} leads elsewhere (${what(reply)}).`,
          `Have the proxy or tunnel of ${new URL(publicUrl).host} pass ${WEBHOOK_PATH} on to ${host}:${port}.`,
        ),
  ];
}

/** What GitHub has noted as our address, and how its last deliveries went. */
async function checkHook(app: GitHubApp, { publicUrl }: WebhookSettings): Promise<readonly Finding[]> {
  const { html_url: page } = await app.facts();
  const hook = await app.ask("GET /app/hook/config", {}, hookReply).catch(() => null);
  const wanted = publicUrl === undefined ? null : webhookUrl(publicUrl);
  const settingsOf = `in the app's settings on GitHub (${page})`;
  if (hook?.url == null)
    return [
      fail(
        APP,
        "GitHub has no webhook address for the app.",
        `Set it ${settingsOf} to ${wanted ?? `https://YOUR.HOST${WEBHOOK_PATH}`}`,
      ),
    ];
  if (wanted !== null && hook.url !== wanted)
    return [
      fail(
        APP,
        `GitHub sends deliveries to ${hook.url}, not to ${wanted}.`,
        `Set the webhook's address ${settingsOf}.`,
      ),
    ];
  if (hook.content_type !== "json")
    return [
      fail(
        APP,
        "GitHub sends deliveries as a form.",
        `Set the webhook's content type to application/json ${settingsOf}.`,
      ),
    ];
  const last = (
    await app.ask("GET /app/hook/deliveries", { per_page: 1 }, deliveriesReply).catch(() => [])
  )[0];
  return [
    last === undefined || last.status_code < 400
      ? ok(
          APP,
          `GitHub sends deliveries to ${hook.url}${last === undefined ? "" : `; the last one (${last.event}) arrived`}`,
        )
      : warn(
          APP,
          `GitHub's last delivery (${last.event}, ${last.delivered_at}) failed: ${last.status_code} ${last.status}.`,
          `Look at it ${settingsOf}: Advanced, Recent deliveries.`,
        ),
  ];
}

const what = ({ status, said }: Reply): string => (status === 0 ? said : `status ${status}`);

/** A listener that answers with one word; the system's code where it cannot listen. */
async function listen(host: string, port: number, word: string): Promise<Server | string> {
  const server = createServer((_request, response) => void response.end(word));
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(errnoOf(error) ?? error.message));
    server.listen(port, host, () => resolve(server));
  });
}

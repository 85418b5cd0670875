import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyWithFallback } from "@octokit/webhooks-methods";
import { AppError, errnoOf, messageOf, type Log, type Service } from "../../../base/index.ts";
import type { Database } from "../../../store/index.ts";
import type { WebhookSettings } from "../settings.ts";
import { storeDelivery } from "./delivery-store.ts";

export const WEBHOOK_PATH = "/webhooks/github";

interface ListenerParams {
  readonly settings: WebhookSettings;
  /** The newest first; a delivery that is signed with any of them is genuine. */
  readonly secrets: readonly [string, ...string[]];
  readonly database: Database;
  readonly log: Log;
}

export interface WebhookListener extends Service {
  /** Port that it listens on; null while it does not. */
  port(): number | null;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const DELIVERY_ID = /^[\w-]{1,100}$/;
const EVENT = /^[a-z][a-z0-9_]{0,99}$/;
// GitHub itself gives up after ten seconds.
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Takes deliveries: one route on a port of its own, so that whoever publishes it publishes nothing else. What is answered with
 * 202 is stored; what could not be stored is refused, and the poll finds it.
 */
export function createWebhookListener(params: Readonly<ListenerParams>): WebhookListener {
  const { settings, log } = params;
  let server: Server | null = null;
  let starting: Promise<void> | null = null;

  const listen = async (): Promise<void> => {
    const made = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
    made.maxConnections = settings.maxConnections;
    made.on("request", (request, response) => {
      void take(params, request)
        .catch((error: unknown): Answer => {
          log.error({ error: messageOf(error) }, "a delivery could not be taken");
          return { status: 503, text: "It could not be stored; send it again." };
        })
        .then((answer) => reply(request, response, answer));
    });
    await new Promise<void>((resolve, reject) => {
      made.once("error", reject);
      made.listen(settings.port, settings.host, resolve);
    }).catch((error: unknown) => {
      throw listenError(error, settings);
    });
    made.on("error", (error) => log.error({ error: error.message }, "webhook listener failed"));
    server = made;
    log.info({ host: settings.host, port: settings.port, path: WEBHOOK_PATH }, "webhooks are taken");
  };

  return {
    name: "github-webhooks",
    port: () => (server?.address() as AddressInfo | null | undefined)?.port ?? null,
    start: () => {
      if (server !== null) return Promise.resolve();
      return (starting ??= listen().finally(() => (starting = null)));
    },
    stop: async () => {
      await starting?.catch(() => {});
      const stopped = server;
      server = null;
      if (stopped === null) return;
      await new Promise<void>((resolve) => {
        stopped.close(() => resolve());
        stopped.closeAllConnections();
      });
    },
  };
}

async function take(params: Readonly<ListenerParams>, request: IncomingMessage): Promise<Answer> {
  const { settings, secrets, database, log } = params;
  const path = request.url?.split("?")[0];
  if (path !== WEBHOOK_PATH) return { status: 404, text: `Deliveries go to ${WEBHOOK_PATH}.` };
  if (request.method !== "POST") return { status: 405, text: "Deliveries are sent with POST." };
  const id = request.headers["x-github-delivery"];
  const event = request.headers["x-github-event"];
  const signature = request.headers["x-hub-signature-256"];
  if (typeof id !== "string" || typeof event !== "string" || !DELIVERY_ID.test(id) || !EVENT.test(event))
    return { status: 400, text: "X-GitHub-Delivery or X-GitHub-Event is missing." };
  if (typeof signature !== "string")
    return { status: 401, text: "X-Hub-Signature-256 is missing: set the webhook's secret on GitHub." };
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    return { status: 415, text: 'Set the webhook\'s content type to "application/json" on GitHub.' };
  const body = await readBody(request, settings.maxBytes);
  if (body === null) return { status: 413, text: `A delivery may have ${settings.maxBytes} bytes.` };
  const text = body.toString("utf8");
  const [secret, ...older] = secrets;
  if (!(await verifyWithFallback(secret, text, signature, older).catch(() => false))) {
    log.warn({ delivery: id, event }, "a delivery with a wrong signature was refused");
    return { status: 401, text: "The signature does not fit the secret." };
  }
  if (!isJsonObject(text)) return { status: 400, text: "The body is no JSON object." };
  const isNew = await database.transaction((tx) => storeDelivery(tx, { id, event, body }));
  return isNew ? { status: 202, text: "Stored." } : { status: 200, text: "Known already." };
}

/** Null where it is larger than allowed; the rest is then not read. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function reply(request: IncomingMessage, response: ServerResponse, { status, text }: Answer): void {
  // What was not read stays in the connection, which is of no further use then.
  const isRead = request.complete;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    ...(isRead ? {} : { connection: "close" }),
    ...(status === 405 ? { allow: "POST" } : {}),
  });
  response.end(`${text}\n`);
}

function listenError(error: unknown, { host, port }: WebhookSettings): unknown {
  const errno = errnoOf(error);
  if (errno === "EADDRINUSE")
    return new AppError({
      code: "port.taken",
      message: `Port ${port} on ${host}, where GitHub's webhooks are to arrive, is in use by another program.`,
      fix: "End that program, or choose another port: `github.webhooks.port` in miyabi.yaml.",
      details: { field: "github.webhooks.port", value: port },
      cause: error,
    });
  if (errno === "EACCES" || errno === "EADDRNOTAVAIL")
    return new AppError({
      code: "config.invalid",
      message: `github.webhooks: this user cannot listen on ${host}:${port} (${errno}).`,
      fix: "Choose an address of this machine and a port from 1024 on.",
      details: { field: "github.webhooks", value: `${host}:${port}` },
      cause: error,
    });
  return error;
}

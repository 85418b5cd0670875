import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, errnoOf, toAppError, type Random } from "../../../base/index.ts";
import { manifestPage, messagePage } from "./manifest-page.ts";

interface ListenerParams<T> {
  /** GitHub's page that takes the manifest. */
  readonly registration: string;
  readonly manifestFor: (redirectUrl: string) => Readonly<Record<string, unknown>>;
  /** What becomes of the code that GitHub sends back; called once. `next`: page on which the person goes on. */
  readonly finish: (code: string) => Promise<{ readonly value: T; readonly next: string }>;
  /** Null: any that is free. */
  readonly port: number | null;
  readonly random: Random;
}

interface ManifestListener<T> {
  /** What the person opens; nobody can guess it. */
  readonly url: string;
  /** What `finish` came to. */
  readonly result: Promise<T>;
  /** Ends the waiting with this error, unless the code has come already. */
  giveUp(error: AppError): void;
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const HOST = "127.0.0.1";
const CALLBACK = "/github-app";
const CODE = /^[\w-]{1,200}$/;

/**
 * Takes a person to GitHub with a manifest and takes the code that comes back. Only this machine reaches it; an answer whose `state` is
 * not ours is refused and changes nothing. @throws port.taken
 */
export async function startManifestListener<T>(
  params: Readonly<ListenerParams<T>>,
): Promise<ManifestListener<T>> {
  const [key, state] = [params.random.token(24), params.random.token()];
  const outcome = Promise.withResolvers<T>();
  // Whoever waits for it hears of it; a page that fails before that is no reason to end the program.
  outcome.promise.catch(() => {});
  let isFinished = false;

  const answer = async (request: IncomingMessage, origin: string): Promise<Page> => {
    // A page of another site that resolves its own name to us is none of ours.
    if (![origin, origin.replace(HOST, "localhost")].includes(`http://${request.headers.host ?? ""}`))
      return refusal(421, "This is another address than the one that was printed.");
    const { pathname, searchParams } = new URL(request.url ?? "/", origin);
    if (request.method !== "GET") return refusal(405, "There is nothing to send here.");
    if (pathname === `/${key}`) {
      const nonce = params.random.token(16);
      const manifest = params.manifestFor(`${origin}${CALLBACK}`);
      return {
        status: 200,
        html: manifestPage({ registration: params.registration, state, manifest, nonce }),
        headers: {
          "content-security-policy": `default-src 'none'; base-uri 'none'; script-src 'nonce-${nonce}'`,
        },
      };
    }
    if (pathname !== CALLBACK) return refusal(404, "There is nothing here.");
    if (!isSame(searchParams.get("state") ?? "", state))
      return refusal(400, "This answer belongs to another question. Open the printed address again.");
    const code = searchParams.get("code") ?? "";
    if (!CODE.test(code)) return refusal(400, "GitHub sent no code. Open the printed address again.");
    if (isFinished) return refusal(409, "Nobody waits for this any more.");
    isFinished = true;
    try {
      const { value, next } = await params.finish(code);
      outcome.resolve(value);
      return { status: 303, headers: { location: next } };
    } catch (error) {
      outcome.reject(error);
      return { status: 502, html: messagePage("That did not work", toAppError(error).message) };
    }
  };

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 });
  await listen(server, params.port);
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const underWay = new Set<ServerResponse>();
  server.on("request", (request, response) => {
    request.resume();
    underWay.add(response);
    response.on("close", () => underWay.delete(response));
    void answer(request, origin)
      .catch((): Page => refusal(500, "That did not work."))
      .then((page) => send(response, page));
  });
  return {
    url: `${origin}/${key}`,
    result: outcome.promise,
    giveUp: (error) => {
      if (isFinished) return;
      isFinished = true;
      outcome.reject(error);
    },
    close: async () => {
      await Promise.all([...underWay].map((response) => once(response, "close")));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Browsers open connections ahead and keep them for nothing.
        server.closeAllConnections();
      });
    },
  };
}

const refusal = (status: number, text: string): Page => ({ status, html: messagePage("Not here", text) });

function send(response: ServerResponse, { status, html = "", headers = {} }: Page): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "cache-control": "no-store",
    "referrer-policy": "strict-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    connection: "close",
    ...headers,
  });
  response.end(html);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function listen(server: Server, port: number | null): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port ?? 0, HOST, resolve);
  }).catch((error: unknown) => {
    throw new AppError({
      code: errnoOf(error) === "EADDRINUSE" ? "port.taken" : "config.invalid",
      message: `${HOST}:${port ?? 0} cannot be listened on (${errnoOf(error) ?? "unknown"}).`,
      fix: "miyabi init --github   # without --port any free one is taken",
      cause: error,
    });
  });
}

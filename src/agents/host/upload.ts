import type { FileHandle } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { backoffMs, type Clock, type Log, messageOf, type Random } from "../../base/index.ts";
import type { RunSpec } from "../protocol.ts";
import { openBundle } from "./handover.ts";

interface UploadParams {
  readonly controlPlaneUrl: string;
  readonly readToken: () => Promise<string>;
  readonly spec: RunSpec;
  readonly file: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export type UploadOutcome =
  | { readonly outcome: "accepted" }
  /** The run belongs to somebody else. */
  | { readonly outcome: "lost" }
  | { readonly outcome: "rejected"; readonly message: string };

const REQUEST_TIMEOUT_MS = 60_000;
const MAX_BACKOFF_MS = 1000;

/**
 * Sends the bundle to the control plane, as often as it takes: a control plane that is away or fails is asked again.
 * The receiver takes the same bundle twice without harm.
 * @throws the signal's reason where the run was stopped.
 */
export async function uploadBundle(params: Readonly<UploadParams>): Promise<UploadOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    params.signal.throwIfAborted();
    const outcome = await uploadOnce(params).catch((error: unknown) => {
      params.log.debug({ error: messageOf(error) }, "the hand-over could not be sent yet");
      return null;
    });
    params.signal.throwIfAborted();
    if (outcome !== null) return outcome;
    const pauseMs = backoffMs({ attempt, baseMs: 50, maxMs: MAX_BACKOFF_MS, random: params.random });
    await params.clock.sleep(pauseMs, params.signal);
  }
}

/** Null: try again. */
async function uploadOnce(params: Readonly<UploadParams>): Promise<UploadOutcome | null> {
  const { spec } = params;
  const bundle = await openBundle(params.file, spec.limits.handoverBytes);
  if (bundle === null)
    return {
      outcome: "rejected",
      message: `The work is no plain file of at most ${spec.limits.handoverBytes} bytes.`,
    };
  try {
    const { status, body } = await put(params, bundle);
    if (status >= 200 && status < 300) return { outcome: "accepted" };
    if (status === 409 || status === 410) return { outcome: "lost" };
    // A token that is being renewed, a server that starts or is overloaded.
    if (status === 401 || status === 408 || status === 429 || status >= 500) return null;
    return { outcome: "rejected", message: `The control plane refused the work (${status}): ${body}` };
  } finally {
    await bundle.handle.close();
  }
}

async function put(
  params: Readonly<UploadParams>,
  bundle: { readonly handle: FileHandle; readonly sizeBytes: number },
): Promise<{ readonly status: number; readonly body: string }> {
  const url = new URL(`/api/hosts/runs/${params.spec.runId}/bundle`, params.controlPlaneUrl);
  url.searchParams.set("attempt", String(params.spec.attempt));
  const token = await params.readToken();
  // node:http and not fetch: that one alone would take a quarter of this program's memory.
  const request = (url.protocol === "https:" ? https : http).request(url, {
    method: "PUT",
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/octet-stream",
      "content-length": bundle.sizeBytes,
    },
    signal: AbortSignal.any([params.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  });
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => {
        if (chunks.length < 64) chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 500,
          body: Buffer.concat(chunks).toString("utf8").slice(0, 1000),
        }),
      );
    });
  });
  // A server that refuses early closes the line while we still send; its answer counts.
  const sent =
    bundle.sizeBytes === 0
      ? Promise.resolve(request.end())
      : pipeline(
          bundle.handle.createReadStream({ start: 0, end: bundle.sizeBytes - 1, autoClose: false }),
          request,
        );
  sent.catch(() => {});
  return answered;
}

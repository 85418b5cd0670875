import { Octokit } from "@octokit/core";
import { z } from "zod";
import { AppError, type Clock } from "../../../base/index.ts";
import { gitHubError } from "../client-errors.ts";

const conversionReply = z.object({
  id: z.number().int().positive(),
  slug: z.string(),
  html_url: z.string(),
  pem: z.string().min(1),
  webhook_secret: z.string().nullish(),
  owner: z.object({ login: z.string() }),
});

/** An app that was just made, with the only copy of its key. */
export type NewApp = z.infer<typeof conversionReply>;

interface ConversionParams {
  readonly apiUrl: string;
  readonly code: string;
  readonly clock: Clock;
}

const TRIES = 4;
const TIMEOUT_MS = 30_000;

/**
 * Exchanges the code of a manifest for the app. GitHub gives it out once: where its reply is lost, the app is there without a key for us.
 * @throws github.refused saying how to go on by hand, github.unavailable
 */
export async function exchangeCode({ apiUrl, code, clock }: Readonly<ConversionParams>): Promise<NewApp> {
  const octokit = new Octokit({ baseUrl: apiUrl, userAgent: "miyabi-orchestra" });
  for (let attempt = 1; ; attempt += 1) {
    const reply = await octokit
      .request("POST /app-manifests/{code}/conversions", {
        code,
        request: { signal: AbortSignal.timeout(TIMEOUT_MS) },
      })
      .catch((error: unknown) => gitHubError(error, clock.now()));
    if (!(reply instanceof AppError)) return conversionReply.parse(reply.data);
    if (reply.code === "not_found") throw lost(reply);
    if (!reply.retryable || attempt === TRIES) throw reply;
    await clock.sleep(attempt * 1_000);
  }
}

const lost = (cause: AppError): AppError =>
  new AppError({
    code: "github.refused",
    message:
      "GitHub does not know the code of the app any more: it was used already, or it is older than an hour.",
    fix: "Delete the app in the settings of its owner on GitHub (Developer settings, GitHub Apps), then: miyabi init --github",
    cause,
  });

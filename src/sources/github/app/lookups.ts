import { Octokit } from "@octokit/core";
import type { Clock } from "../../../base/index.ts";
import { silentLog } from "../../../base/index.ts";
import type { AppFacts } from "./github-app.ts";
import { createGitHubApp } from "./open-app.ts";

const TIMEOUT_MS = 5_000;

/** Whether an account is an organization, which then has to own the app; false also where the server does not tell strangers. */
export async function isOrganization(apiUrl: string, login: string): Promise<boolean> {
  try {
    const { data } = await new Octokit({ baseUrl: apiUrl, userAgent: "miyabi-orchestra" }).request(
      "GET /users/{username}",
      { username: login, request: { signal: AbortSignal.timeout(TIMEOUT_MS) } },
    );
    return data.type === "Organization";
  } catch {
    return false;
  }
}

interface ReadAppParams {
  readonly apiUrl: string;
  readonly id: number;
  readonly privateKey: string;
  readonly clock: Clock;
}

/** An app by its number and key. @throws config.invalid, github.unauthorized where GitHub has no such app, github.unavailable */
export function readApp({ apiUrl, privateKey, ...rest }: Readonly<ReadAppParams>): Promise<AppFacts> {
  return createGitHubApp({
    ...rest,
    privateKey: privateKey.replaceAll("\\n", "\n"),
    keyName: "its key",
    octokit: { baseUrl: apiUrl, userAgent: "miyabi-orchestra" },
    log: silentLog,
  }).facts();
}

import { createPrivateKey } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/core";
import { AppError, type Clock, type Log } from "../../../base/index.ts";
import { gitHubError } from "../client-errors.ts";
import { appReply, installationReply, type AppFacts, type GitHubApp } from "./github-app.ts";
import { createInstallationIdentity, type Tokens } from "./installation.ts";
import { appRefusal } from "./refusals.ts";

interface AppParams {
  readonly id: number;
  /** PEM, of either form that GitHub hands out. */
  readonly privateKey: string;
  /** Name of the variable that holds it, for messages. */
  readonly keyName: string;
  /** What every request of ours has: the server's address, a time limit. */
  readonly octokit: ConstructorParameters<typeof Octokit>[0];
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws config.invalid where the key is none. */
export function createGitHubApp(params: Readonly<AppParams>): GitHubApp {
  requireKey(params);
  const octokit = new Octokit({
    ...params.octokit,
    authStrategy: createAppAuth,
    auth: { appId: params.id, privateKey: params.privateKey },
  });
  const shared: Tokens = new Map();
  let asking: Promise<AppFacts> | null = null;
  let known: AppFacts | null = null;

  const ask: GitHubApp["ask"] = async (route, values, reply, repository) => {
    try {
      return reply.parse((await octokit.request(route, values)).data);
    } catch (error) {
      throw (
        appRefusal(error, { id: params.id, keyName: params.keyName, facts: known, repository }) ??
        gitHubError(error, params.clock.now())
      );
    }
  };
  const readFacts = async (): Promise<AppFacts> => (known = await ask("GET /app", {}, appReply));
  const facts = (): Promise<AppFacts> => {
    if (asking !== null) return asking;
    asking = readFacts();
    asking.catch(() => (asking = null));
    return asking;
  };
  const app: GitHubApp = {
    ask,
    facts,
    findInstallation: async (repository) => {
      // So that a refusal can say where to install it.
      await facts();
      const [owner, repo] = repository.split("/");
      return ask("GET /repos/{owner}/{repo}/installation", { owner, repo }, installationReply, repository);
    },
    identityFor: (repository) => createInstallationIdentity({ ...params, app, repository, shared }),
  };
  return app;
}

function requireKey({ privateKey, keyName }: Readonly<AppParams>): void {
  try {
    createPrivateKey(privateKey);
  } catch (cause) {
    throw new AppError({
      code: "config.invalid",
      message: `github.app: ${keyName} is no private key in PEM form.`,
      fix: `Write it as one line ${keyName}="-----BEGIN RSA PRIVATE KEY-----\\n…\\n-----END RSA PRIVATE KEY-----\\n" into .env beside miyabi.yaml, or: miyabi init --github`,
      details: { field: "github.app.privateKey", name: keyName },
      cause,
    });
  }
}

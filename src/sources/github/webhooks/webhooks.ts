import { AppError, type Clock, type Log, type Loop, type Random } from "../../../base/index.ts";
import type { Database, Notifier } from "../../../store/index.ts";
import type { Commands } from "../commands/commands.ts";
import type { IssueIntake } from "../issue-intake.ts";
import type { PullRequestWatch } from "../pull-requests/watch.ts";
import type { HostedRepositories } from "../repositories.ts";
import type { RepositoryState } from "../repository-state.ts";
import type { WebhookSettings } from "../settings.ts";
import { createWebhookListener, type WebhookListener } from "./listener.ts";
import { createDeliveryProcessor } from "./processor.ts";
import type { Target } from "./targets.ts";

interface WebhooksParams {
  readonly settings: WebhookSettings;
  readonly readSecret: (name: string) => string | undefined;
  readonly repositories: HostedRepositories;
  readonly intake: IssueIntake;
  readonly commands: Commands;
  readonly watch: PullRequestWatch;
  readonly state: RepositoryState;
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Webhooks {
  readonly listener: WebhookListener;
  readonly processor: Loop;
}

/** What GitHub tells us by itself. @throws config.invalid where a secret is missing. */
export function createWebhooks(params: Readonly<WebhooksParams>): Webhooks {
  const { settings } = params;
  const secret = secretOf(params, settings.secretEnv);
  const older =
    settings.previousSecretEnv === undefined ? [] : [secretOf(params, settings.previousSecretEnv)];
  return {
    listener: createWebhookListener({ ...params, secrets: [secret, ...older] }),
    processor: createDeliveryProcessor({ ...params, look: (target) => look(params, target) }),
  };
}

function secretOf({ readSecret }: Readonly<WebhooksParams>, name: string): string {
  const value = readSecret(name);
  if (value !== undefined && value.length >= 16) return value;
  throw new AppError({
    code: "config.invalid",
    message:
      value === undefined || value === ""
        ? `github.webhooks: ${name} is not set.`
        : `github.webhooks: ${name} is too short for a secret; it needs 16 characters.`,
    fix: `Add a line ${name}=… to .env beside miyabi.yaml, and the same secret to the webhook on GitHub.`,
    details: { field: "github.webhooks", name },
  });
}

/** A delivery only says where to look; from there on it is the poll's way. */
async function look(params: Readonly<WebhooksParams>, target: Target): Promise<void> {
  const repository = await params.repositories.find(target.repository);
  if (repository === null) return;
  const { key } = repository;
  switch (target.at) {
    case "issue":
      return params.intake.lookAt(repository, target.number);
    case "comment":
      return params.commands.lookAt(repository, target.id);
    case "pull-request":
      return params.watch.changed({ repository: key, number: target.number });
    case "commit":
      return params.watch.changed({ repository: key, commit: target.sha });
    case "repository":
      await params.state.check(repository, { now: true });
      return;
    case "branch":
      if (target.name === repository.targetBranch) await params.repositories.sync(repository);
      return params.watch.changed({ repository: key, branch: target.name, movedTo: target.sha });
  }
}

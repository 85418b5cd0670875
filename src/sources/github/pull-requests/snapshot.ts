import type { GitHubClient } from "../client.ts";
import {
  checkRunReply,
  combinedStatusReply,
  reviewReply,
  type CheckRunReply,
  type CombinedStatusReply,
  type PullRequestReply,
  type ReviewReply,
} from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { isOwnCheck } from "../write-back/own-check.ts";

/** Everything that decides about a pull request, as GitHub shows it. */
export interface Snapshot {
  readonly pull: PullRequestReply;
  readonly checks: readonly Check[];
  readonly reviews: readonly ReviewReply[];
}

export interface Check {
  readonly name: string;
  readonly outcome: "pending" | "passed" | "failed";
  /** What it said, for the agent; untrusted text. */
  readonly log: string;
  /** Of a check run; null for a commit status. */
  readonly runId: number | null;
}

const PASSED = ["success", "neutral", "skipped"];

export async function readChecks(
  { client, settings }: HostedRepository,
  commit: string,
): Promise<readonly Check[]> {
  const [owner, repo] = settings.name.split("/");
  const runs = await client.list(
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    { owner, repo, ref: commit },
    checkRunReply,
  );
  const { statuses } = await client.call(
    "GET /repos/{owner}/{repo}/commits/{ref}/status",
    { owner, repo, ref: commit },
    combinedStatusReply,
  );
  // What we said ourselves decides nothing.
  return [...runs.filter((run) => !isOwnCheck(run)).map(ofRun), ...statuses.map(ofStatus)];
}

export async function readReviews(
  client: GitHubClient,
  name: string,
  number: number,
): Promise<readonly ReviewReply[]> {
  const [owner, repo] = name.split("/");
  return client.list(
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    { owner, repo, pull_number: number },
    reviewReply,
  );
}

function ofRun(run: CheckRunReply): Check {
  const { output } = run;
  return {
    name: run.name,
    outcome:
      run.status !== "completed" ? "pending" : PASSED.includes(run.conclusion ?? "") ? "passed" : "failed",
    log: [output?.title, output?.summary, output?.text]
      .filter((text) => typeof text === "string" && text !== "")
      .join("\n"),
    runId: run.id,
  };
}

function ofStatus(status: CombinedStatusReply["statuses"][number]): Check {
  return {
    name: status.context,
    outcome: status.state === "pending" ? "pending" : status.state === "success" ? "passed" : "failed",
    log: status.description ?? "",
    runId: null,
  };
}

import { AppError } from "../../../base/index.ts";
import { anything } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import type { Check } from "./snapshot.ts";

const MAX_CHECKS = 5;
const MAX_CHARACTERS = 8_000;
const LINES_BEFORE = 20;
const LINES_AFTER = 60;
const TELLING = /\b(?:error|failed|failure|fatal|exception|assert|panic|not ok|FAIL)\b|✕|✗|×/i;
// Workflow logs begin every line with a time.
const STAMP = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z /gm;
// oxlint-disable-next-line no-control-regex -- escape sequences are what is removed
const ESCAPES = /\u001B\[[0-9;?]*[A-Za-z]/g;

/** What the failed checks printed, cut to what matters. */
export async function failedLog(repository: HostedRepository, checks: readonly Check[]): Promise<string> {
  const failed = checks.filter(({ outcome }) => outcome === "failed").slice(0, MAX_CHECKS);
  const parts: string[] = [];
  for (const check of failed) {
    const printed = check.runId === null ? "" : await jobLog(repository, check.runId);
    parts.push(
      `## ${check.name}\n${[check.log, tellingPart(printed)].filter((text) => text !== "").join("\n")}`,
    );
  }
  return parts.join("\n\n").slice(0, MAX_CHARACTERS * MAX_CHECKS);
}

/** The log of a GitHub Actions job; empty for a check of another kind. */
async function jobLog({ client, settings }: HostedRepository, jobId: number): Promise<string> {
  const [owner, repo] = settings.name.split("/");
  try {
    const log = await client.call(
      "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs",
      { owner, repo, job_id: jobId },
      anything,
    );
    return typeof log === "string" ? log : "";
  } catch (error) {
    if (error instanceof AppError && ["not_found", "github.forbidden", "github.refused"].includes(error.code))
      return "";
    throw error;
  }
}

/** The lines around the first one that tells of a failure, and the end. Pure. */
export function tellingPart(log: string): string {
  const lines = log.replace(ESCAPES, "").replace(STAMP, "").trimEnd().split("\n");
  const first = lines.findIndex((line) => TELLING.test(line));
  if (first < 0)
    return lines
      .slice(-(LINES_BEFORE + LINES_AFTER))
      .join("\n")
      .slice(-MAX_CHARACTERS);
  const from = Math.max(0, first - LINES_BEFORE);
  const around = lines.slice(from, first + LINES_AFTER);
  const end = lines.slice(Math.max(first + LINES_AFTER, lines.length - LINES_BEFORE));
  const text = [...(from > 0 ? ["…"] : []), ...around, ...(end.length > 0 ? ["…", ...end] : [])].join("\n");
  return text.slice(0, MAX_CHARACTERS);
}

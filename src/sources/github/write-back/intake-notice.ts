import { createHash } from "node:crypto";
import type { Database } from "../../../store/index.ts";
import type { OutboxHandler } from "../../../tasks/index.ts";
import { describeIntake, type IntakeOutcome } from "../intake-outcome.ts";
import type { HostedRepositories } from "../repositories.ts";
import { NOTICE_MARKER, writeIssueComment } from "./issue-comment.ts";
import { quoted } from "./pull-request-body.ts";

interface NoticeParams {
  readonly database: Database;
  readonly repositories: HostedRepositories;
  readonly ownLogin: () => Promise<string>;
}

interface NoticeRow {
  readonly repository: string;
  readonly number: number;
  readonly intake: IntakeOutcome;
  readonly comment_id: string | null;
  readonly written: { readonly comment?: string };
}

/** `text`: hash of what the comment says; null: nothing was to be said. */
interface NoticeResult {
  readonly repository: string;
  readonly number: number;
  readonly commentId: number;
  readonly text: string;
}

/** Makes an issue that is no task say why. When it becomes one, its progress takes the comment over. */
export function createNoticeHandler(params: Readonly<NoticeParams>): OutboxHandler<NoticeResult | null> {
  return {
    send: async ({ target, earlierAttempts }) => {
      const { rows } = await params.database.query<NoticeRow>(
        `select repository, number, intake, comment_id::text, written from miyabi.github_issues
         where task_id is null and 'issue:' || repository || '#' || number = $1`,
        [target],
      );
      const row = rows[0];
      const repository = row === undefined ? null : await params.repositories.find(row.repository);
      if (row === undefined || repository === null) return null;
      if (row.comment_id === null && isSaidOnlyWhenAsked(row.intake)) return null;
      const says = quoted(describeIntake(row.intake, repository.settings.label));
      const body = `**Not started.**\n\n${says}\n\n${NOTICE_MARKER}`;
      const text = createHash("sha256").update(body).digest("hex");
      // A try that died may have written what we never recorded.
      if (row.written.comment === text && earlierAttempts === 0) return null;
      const commentId = await writeIssueComment({
        client: repository.client,
        name: repository.settings.name,
        number: row.number,
        commentId: row.comment_id,
        markers: [NOTICE_MARKER],
        body,
        ownLogin: await params.ownLogin(),
      });
      return { repository: row.repository, number: row.number, commentId, text };
    },
    settle: async (tx, _entry, result) => {
      if (result === null) return;
      await tx.query(
        `update miyabi.github_issues set comment_id = coalesce(comment_id, $3),
           written = case when task_id is null then written || jsonb_build_object('comment', $4::text) else written end
         where repository = $1 and number = $2`,
        [result.repository, result.number, result.commentId, result.text],
      );
    },
    // The next look at the issue asks for it again, whatever of it is there.
    giveUp: async (tx, { target }) => {
      await tx.query(
        "update miyabi.github_issues set written = '{}' where task_id is null and 'issue:' || repository || '#' || number = $1",
        [target],
      );
    },
  };
}

/** It starts within minutes, nobody wants it any more, or no label fits: not worth a comment of its own. */
const isSaidOnlyWhenAsked = (intake: IntakeOutcome): boolean =>
  intake.outcome === "later" ||
  intake.outcome === "unwanted" ||
  (intake.outcome === "classified" && intake.labels.length === 0);

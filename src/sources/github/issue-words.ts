import { createHash } from "node:crypto";
import { AppError } from "../../base/index.ts";
import type { Tx } from "../../store/index.ts";
import { readIssues, type IssueSnapshot } from "./issue-snapshot.ts";
import { visibleText, visibleTitle } from "./issue-text.ts";
import type { HostedRepository } from "./repositories.ts";

/** An issue's title and text, as a task and its agents get them. */
export interface IssueWords {
  readonly title: string;
  readonly body: string;
  /** Of the words as they stand on GitHub. */
  readonly hash: string;
}

const MAX_BODY = 200_000;
const MAX_TITLE = 300;

/** Pure. */
export function wordsOf(issue: Pick<IssueSnapshot, "number" | "title" | "body" | "url">): IssueWords {
  const read = cut(issue.body, MAX_BODY);
  const visible = visibleText(read);
  const body = cut(visible, MAX_BODY - 500);
  const left = issue.body.length - read.length + visible.length - body.length;
  const more = left === 0 ? "" : `\n\nThe text goes on; ${left} more characters were left out.`;
  return {
    title: cut(visibleTitle(issue.title), MAX_TITLE) || `Issue #${issue.number}`,
    body: `${body}${more}\n\n${issue.url}`,
    hash: hashOfWords(issue),
  };
}

/** The beginning of a text, with no half of a character at its end. */
function cut(text: string, length: number): string {
  const isBetweenHalves = /[\uD800-\uDBFF]/.test(text.charAt(length - 1));
  return text.length <= length ? text : text.slice(0, isBetweenHalves ? length - 1 : length);
}

/** Another one means that title or text were changed. Pure. */
export function hashOfWords({ title, body }: { readonly title: string; readonly body: string }): string {
  return createHash("sha256")
    .update(`${title}\n${body.replaceAll("\r\n", "\n")}`)
    .digest("hex");
}

/** When title or text were changed last; null: never. Pure. */
export function lastChangeOf({ edited, events }: IssueSnapshot): Date | null {
  const renamed = events.findLast(({ type }) => type === "renamed")?.at ?? null;
  const changes = [edited?.at ?? null, renamed].filter((at) => at !== null);
  return changes.length === 0 ? null : new Date(Math.max(...changes.map((at) => at.getTime())));
}

/** An issue's words as they are now, and when they were changed last. @throws not_found */
export async function readWords(
  { client, settings }: HostedRepository,
  number: number,
): Promise<IssueWords & { readonly changedAt: Date | null }> {
  const snapshot = (await readIssues(client, settings.name, [number])).get(number);
  if (snapshot === undefined)
    throw new AppError({ code: "not_found", message: `There is no issue ${settings.name}#${number}.` });
  return { ...wordsOf(snapshot), changedAt: lastChangeOf(snapshot) };
}

/** Gives a task the words that it is to be done by. */
export async function keepWords(tx: Tx, taskId: string, words: IssueWords): Promise<void> {
  await tx.query("update miyabi.tasks set title = $2, body = $3, updated_at = now() where id = $1", [
    taskId,
    words.title,
    words.body,
  ]);
  await tx.query("update miyabi.github_issues set text_hash = $2, edit = null where task_id = $1", [
    taskId,
    words.hash,
  ]);
}

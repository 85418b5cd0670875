import { AppError, systemClock } from "../base/index.ts";
import type { LogItem, TranscriptBody } from "../contract/index.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { findAgent } from "./find-agent.ts";
import { colored, oneLine, plain } from "./table.ts";

export interface LogFlags {
  readonly task?: string;
  readonly agent?: string;
  readonly follow?: true;
  readonly lines: number;
}

const POLL_MS = 700;
const PAGE = 200;
/** Items carry the time of the agent's machine and may arrive late; this far back a poll looks again. */
const LATE_MS = 60_000;

/**
 * Prints transcript items, oldest first, one JSON object a line with --json; with `follow` until interrupted.
 * @throws not_found where there is no such task or agent.
 */
export async function printTranscripts({ client, output }: CommandContext, flags: LogFlags): Promise<void> {
  let api = await client();
  const seen = new Map<string, number>();
  const show = (items: readonly LogItem[]): void => {
    for (const item of items) {
      const key = `${item.runId} ${item.seq}`;
      if (seen.has(key)) continue;
      seen.set(key, Date.parse(item.at));
      if (output.json) output.result(item, "");
      else if (isTelling(item.body)) output.result(item, itemText(item));
    }
  };
  const first = await readItems(api, flags, null, flags.lines);
  if (first.length === 0) await requireSubject(api, flags);
  show(first);
  if (first.length === 0 && flags.follow !== true) output.note("Nothing is logged for this yet.");
  while (flags.follow === true) {
    await systemClock.sleep(POLL_MS);
    const newest = Math.max(0, ...seen.values());
    const since = seen.size === 0 ? null : new Date(newest - LATE_MS).toISOString();
    try {
      show(await readItems(api, flags, since, null));
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error;
      api = await client().catch(() => api);
    }
    for (const [key, at] of seen) if (at < newest - 2 * LATE_MS) seen.delete(key);
  }
}

/** Nothing is logged: of something that there is, or of a name mistyped? @throws not_found */
async function requireSubject(api: Client, { task, agent }: LogFlags): Promise<void> {
  if (task !== undefined) await api.call("getTask", { params: { id: task } });
  if (agent !== undefined) await findAgent(api, agent);
}

/** The newest `limit` items (null: all since `since`), oldest first, however many pages that takes. */
async function readItems(
  api: Client,
  flags: LogFlags,
  since: string | null,
  limit: number | null,
): Promise<LogItem[]> {
  let items: LogItem[] = [];
  for (let cursor: string | null = null; ;) {
    const wanted = limit === null ? PAGE : Math.min(PAGE, limit - items.length);
    const page: { items: LogItem[]; nextCursor: string | null } = await api.call("listLogs", {
      query: {
        limit: wanted,
        ...(cursor === null ? {} : { cursor }),
        ...(since === null ? {} : { since }),
        ...(flags.task === undefined ? {} : { task: flags.task }),
        ...(flags.agent === undefined ? {} : { agent: flags.agent }),
      },
    });
    items = [...page.items, ...items];
    cursor = page.nextCursor;
    if (cursor === null || page.items.length === 0 || (limit !== null && items.length >= limit)) return items;
  }
}

/** A tool call is said once, when it has ended; who wants each step of it takes --json. */
function isTelling(body: TranscriptBody): boolean {
  return body.kind !== "tool" || body.status === "completed" || body.status === "failed";
}

function itemText(item: LogItem): string {
  const head = `${new Date(item.at).toTimeString().slice(0, 8)}  ${item.taskId.padEnd(5)} ${(item.slot ?? "—").padEnd(9)} `;
  const indent = " ".repeat(head.length);
  const [first = "", ...rest] = bodyText(item.body).trimEnd().split("\n");
  return [`${colored("gray", head)}${first}`, ...rest.map((line) => `${indent}${line}`)].join("\n");
}

/** What a transcript item says, for people; may have several lines. */
export function bodyText(body: TranscriptBody): string {
  switch (body.kind) {
    case "tool":
      return `${body.status === "failed" ? colored("red", "✕") : "▸"} ${oneLine(body.title)}`;
    case "command":
      return body.exitCode === null
        ? plain(body.output)
        : `$ ${oneLine(body.command)} → ${body.exitCode}${body.cached ? " (cached)" : ""}`;
    case "result":
      return (
        colored("bold", `■ ${oneLine(body.verdict)}`) + (body.notes === "" ? "" : `: ${plain(body.notes)}`)
      );
    case "end":
      return `■ ${body.outcome}${body.text === "" ? "" : `: ${oneLine(body.text)}`}`;
    case "permission":
      return `? ${oneLine(body.title)}: ${body.decision}${body.by === null ? "" : ` by ${body.by}`}`;
    case "plan":
      return body.entries
        .map((one) => `${one.status === "completed" ? "✓" : "·"} ${oneLine(one.text)}`)
        .join("\n");
    case "usage":
      return colored("gray", `tokens: ${body.tokensIn ?? "?"} in, ${body.tokensOut ?? "?"} out`);
    case "prompt":
      return colored("cyan", `> ${oneLine(body.text).slice(0, 300)}`);
    case "person":
      return colored("cyan", `you: ${plain(body.text)}`);
    case "thought":
      return colored("gray", plain(body.text));
    case "notice":
      return body.level === "info" ? plain(body.text) : colored("yellow", plain(body.text));
    case "text":
      return plain(body.text);
  }
}

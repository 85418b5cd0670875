import { systemClock } from "../base/index.ts";
import type { TranscriptBody } from "../contract/index.ts";
import type { CommandContext } from "./context.ts";

export interface LogFlags {
  readonly task?: string;
  readonly agent?: string;
  readonly follow?: true;
  readonly lines: string;
}

const POLL_MS = 700;

/** Prints transcript items, oldest first; with `--follow` it goes on until interrupted. With --json one object a line. */
export async function followLogs({ client, output }: CommandContext, flags: LogFlags): Promise<number> {
  const api = await client();
  const seen = new Set<string>();
  for (;;) {
    const page = await api.call("listLogs", {
      query: {
        limit: Number(flags.lines),
        ...(flags.task === undefined ? {} : { task: flags.task }),
        ...(flags.agent === undefined ? {} : { agent: flags.agent }),
      },
    });
    for (const item of page.items) {
      const key = `${item.runId} ${item.seq}`;
      if (seen.has(key)) continue;
      seen.add(key);
      output.result(
        item,
        `${item.at.slice(11, 19)}  ${item.taskId.padEnd(5)} ${(item.slot ?? "—").padEnd(9)} ${lineOf(item.body)}`,
      );
    }
    if (flags.follow !== true) return 0;
    await systemClock.sleep(POLL_MS);
  }
}

function lineOf(body: TranscriptBody): string {
  switch (body.kind) {
    case "tool":
      return `▸ ${body.title} (${body.status})`;
    case "command":
      return body.exitCode === null
        ? body.output.trimEnd()
        : `$ ${body.command} → ${body.exitCode}${body.cached ? " (cached)" : ""}`;
    case "result":
      return `■ ${body.verdict}: ${body.notes}`;
    case "end":
      return `■ ${body.outcome}: ${body.text}`;
    case "permission":
      return `? ${body.title}: ${body.decision}`;
    case "plan":
      return body.entries
        .map((entry) => `${entry.status === "completed" ? "✓" : "·"} ${entry.text}`)
        .join("  ");
    case "usage":
      return `tokens ${body.tokensIn ?? "?"} in, ${body.tokensOut ?? "?"} out`;
    case "prompt":
      return `> ${body.text.split("\n").slice(0, 5).join(" · ")}`;
    default:
      return body.text.trimEnd();
  }
}

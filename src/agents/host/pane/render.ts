import type { TranscriptBody, TranscriptItem } from "../../../contract/index.ts";
import type { Style } from "./style.ts";
import { fitText, wrapText } from "./text-width.ts";

interface RenderParams {
  readonly name: string;
  readonly style: Style;
  readonly columns: number;
}

type Body<K extends TranscriptBody["kind"]> = Extract<TranscriptBody, { kind: K }>;

const TIME_COLUMNS = 6;
const MAX_PROMPT_LINES = 6;
const MAX_OUTPUT_LINES = 12;
const MAX_DIFF_LINES = 12;
const TOOL_MARKS = { pending: "▸", running: "▸", completed: "✓", failed: "✗" } as const;

/** A transcript item as lines for a terminal; empty where there is nothing worth a line. The texts in it are clean already. Pure. */
export function renderItem(item: TranscriptItem, params: Readonly<RenderParams>): string[] {
  const lines = renderBody(item.body, { ...params, columns: params.columns - TIME_COLUMNS });
  const time = params.style.dim(item.at.slice(11, 16));
  return lines.map((line, index) => `${index === 0 ? time : "     "} ${line}`);
}

function renderBody(body: TranscriptBody, params: Readonly<RenderParams>): string[] {
  const { style, columns } = params;
  switch (body.kind) {
    case "notice": {
      const color = { info: style.dim, warn: style.yellow, error: style.red }[body.level];
      return wrapText(`· ${body.text}`, columns).map(color);
    }
    case "prompt":
      return block("» ", firstLines(body.text, MAX_PROMPT_LINES), columns, style.dim);
    case "text":
      return body.text.trim() === ""
        ? []
        : block(`${params.name} `, body.text.trim(), columns, null, style.agent);
    case "thought":
      return block("… ", firstLines(body.text.trim(), MAX_PROMPT_LINES), columns, style.dim);
    case "tool":
      return renderTool(body, params);
    case "plan":
      return body.entries.map((entry) => {
        const mark = { pending: "☐", in_progress: "▸", completed: "✓" }[entry.status];
        return fitText(`${mark} ${entry.text}`, columns);
      });
    case "permission": {
      const by = body.by === null ? "" : ` by ${body.by}`;
      return [style.yellow(fitText(`? ${body.title}: ${body.decision}${by}`, columns))];
    }
    case "command":
      return renderCommand(body, params);
    case "person":
      return block("person ", body.text, columns, null, style.cyan);
    case "result":
      return block(`⚑ ${body.verdict} `, body.notes, columns, null, style.bold);
    case "usage":
      return [style.dim(`${body.tokensIn ?? "?"} tokens in, ${body.tokensOut ?? "?"} out`)];
    case "end": {
      const color = body.outcome === "succeeded" ? style.green : style.red;
      return wrapText(`■ ${body.outcome}: ${body.text}`, columns).map(color);
    }
  }
}

function renderTool(body: Body<"tool">, { style, columns }: Readonly<RenderParams>): string[] {
  const color = { pending: style.dim, running: style.cyan, completed: style.green, failed: style.red }[
    body.status
  ];
  const head = `${color(TOOL_MARKS[body.status])} ${fitText(body.title.split("\n")[0] ?? "", columns - 2)}`;
  if (body.status !== "completed" && body.status !== "failed") return [head];
  const diffs = body.diffs.flatMap((diff) => renderDiff(diff, style, columns));
  const output =
    body.status === "failed" && body.output !== null
      ? lastLines(body.output, MAX_OUTPUT_LINES, columns - 2).map((line) => style.dim(`  ${line}`))
      : [];
  return [head, ...diffs, ...output];
}

function renderDiff(diff: Body<"tool">["diffs"][number], style: Style, columns: number): string[] {
  const before = diff.oldText === null ? [] : diff.oldText.split("\n");
  const after = diff.newText.split("\n");
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1;
  const changed = [
    ...before.slice(start, before.length - end).map((line) => style.red(fitText(`  - ${line}`, columns))),
    ...after.slice(start, after.length - end).map((line) => style.green(fitText(`  + ${line}`, columns))),
  ];
  const more = changed.length - MAX_DIFF_LINES;
  return [
    style.dim(fitText(`  ${diff.path}`, columns)),
    ...changed.slice(0, MAX_DIFF_LINES),
    ...(more > 0 ? [style.dim(`  … ${more} more lines`)] : []),
  ];
}

function renderCommand(body: Body<"command">, { style, columns }: Readonly<RenderParams>): string[] {
  const output = body.output
    .replace(/\n$/, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => style.dim(`  ${fitText(line, columns - 2)}`));
  if (body.exitCode === null) return output;
  const took = body.cached ? "cached" : `${((body.durationMs ?? 0) / 1000).toFixed(1)} s`;
  const mark = body.exitCode === 0 ? style.green("✓") : style.red(`✗ (exit ${body.exitCode})`);
  return [
    ...output,
    `${mark} ${fitText(body.command.split("\n")[0] ?? "", columns - 24)} ${style.dim(took)}`,
  ];
}

function block(
  mark: string,
  text: string,
  columns: number,
  color: ((text: string) => string) | null,
  markColor: ((text: string) => string) | null = null,
): string[] {
  const lines = wrapText(text, columns - 2);
  const [first = "", ...rest] = wrapText(mark + (lines[0] ?? ""), columns);
  const head = markColor === null ? first : markColor(mark) + first.slice(mark.length);
  return [head, ...[...rest, ...lines.slice(1)].map((line) => `  ${line}`)].map((line) =>
    color === null ? line : color(line),
  );
}

function firstLines(text: string, max: number): string {
  const lines = text.trim().split("\n");
  return lines.length <= max
    ? lines.join("\n")
    : [...lines.slice(0, max), `… ${lines.length - max} more lines`].join("\n");
}

const lastLines = (text: string, max: number, columns: number): string[] =>
  text
    .trim()
    .split("\n")
    .slice(-max)
    .map((line) => fitText(line, columns));

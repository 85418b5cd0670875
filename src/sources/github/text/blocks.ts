import { browserTag } from "./tags.ts";

/** A part of a Markdown text. `code` is shown as it is written; in `html`, Markdown means nothing. */
export interface Block {
  readonly kind: "code" | "markdown" | "html";
  readonly text: string;
}

const FENCE = /^(`{3,}|~{3,})([^\n]*)$/;
/** Quotation and list markers before a line's own text. */
const CONTAINERS = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*/;
const FENCE_SOMEWHERE = /^(?:`{3,}[^`\n]*|~{3,}.*)$/;
/** Elements in which a blank line does not end the block. */
const LONG_ELEMENT = /^<(pre|script|style|textarea)\b/i;
/** What GitHub draws instead of showing it; comments in it are not seen. */
const DRAWN = new Set(["mermaid", "math", "geojson", "topojson", "stl"]);

/**
 * Cuts a text into what is certainly code and the rest. Pure. Where it cannot be certain that GitHub sees code too (a fence inside a
 * list, a quotation or HTML), nothing from there on counts as code: what is taken for code is not searched for hidden parts.
 */
export function splitBlocks(text: string): readonly Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let kind: "markdown" | "html" = "markdown";
  let current: string[] = [];
  let isCertain = true;
  let until: RegExp | null = null;
  const close = (): void => {
    if (current.length > 0) blocks.push({ kind, text: current.join("\n") });
    current = [];
  };
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const own = line.replace(CONTAINERS, "");
    if (until !== null) {
      current.push(line);
      if (until.test(line)) until = null;
      continue;
    }
    if (own.trim() === "") {
      current.push(line);
      // A browser reads on to the end of the value, over everything that Markdown makes of it.
      if (kind === "html" && endsInTag(current.join("\n"))) {
        until = NEVER;
        continue;
      }
      close();
      kind = "markdown";
      continue;
    }
    if (kind === "markdown" && /^<[A-Za-z/!?]/.test(own) && !/^<[a-z][a-z0-9+.-]+:/i.test(own)) {
      close();
      kind = "html";
    }
    const fence = kind === "markdown" && isCertain ? FENCE.exec(line) : null;
    if (fence !== null && !(fence[1]?.startsWith("`") === true && fence[2]?.includes("`") === true)) {
      close();
      const end = closingLine(lines, index, fence[1] ?? "");
      blocks.push({
        kind: "code",
        text: codeText(lines.slice(index, end + 1), fence[1] ?? "", fence[2] ?? ""),
      });
      index = end;
      continue;
    }
    if (FENCE_SOMEWHERE.test(own)) isCertain = false;
    current.push(FENCE_SOMEWHERE.test(own) ? shortInfo(line) : line);
    until = openEnded(kind, line, own);
  }
  close();
  return blocks;
}

/** What has to come before blank lines and fences mean anything again. */
function openEnded(kind: Block["kind"], line: string, own: string): RegExp | null {
  const afterComments = line.replace(/`+[^`]*`+/g, "").replace(/<!--.*?-->/g, "");
  if (afterComments.includes("<!--")) return /-->/;
  if (kind !== "html") return null;
  const element = LONG_ELEMENT.exec(own)?.[1];
  if (element !== undefined && !new RegExp(`</${element}`, "i").test(own))
    return new RegExp(`</${element}`, "i");
  if (own.startsWith("<?") && !own.includes("?>")) return /\?>/;
  if (own.startsWith("<![CDATA[") && !own.includes("]]>")) return /\]\]>/;
  if (/^<![A-Z]/i.test(own) && !own.includes(">")) return />/;
  return null;
}

const NEVER = /(?!)/;

function endsInTag(html: string): boolean {
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at)) {
    const tag = browserTag(html, at);
    if (tag !== null && !tag.isComplete) return true;
    at = tag?.end ?? at + 1;
  }
  return false;
}

/** Index of the line that closes a fence, or of the last one. */
function closingLine(lines: readonly string[], from: number, fence: string): number {
  const closes = new RegExp(`^ {0,3}\\${fence[0] ?? ""}{${fence.length},}[ \\t]*$`);
  const found = lines.findIndex((line, index) => index > from && closes.test(line));
  return found < 0 ? lines.length - 1 : found;
}

function codeText(lines: readonly string[], fence: string, info: string): string {
  const language = languageOf(info);
  if (DRAWN.has(language.toLowerCase())) return `[${language} drawing]`;
  return [`${fence}${language}`, ...lines.slice(1)].join("\n");
}

/** Only the first word of a fence's line is ever used, and none is shown. */
const languageOf = (info: string): string => /^\s*([\w+#.-]{1,30})(?=\s|$)/.exec(info)?.[1] ?? "";
const shortInfo = (line: string): string =>
  line.replace(/(`{3,}|~{3,})(.*)$/, (_, fence: string, info: string) => `${fence}${languageOf(info)}`);

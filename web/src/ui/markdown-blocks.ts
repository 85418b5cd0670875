/** The part of Markdown that issues and reports use. Anything else stays text; HTML is never interpreted. */
export type Block =
  | { readonly type: "heading"; readonly level: number; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "list"; readonly ordered: boolean; readonly items: readonly string[] }
  | { readonly type: "quote"; readonly text: string }
  | { readonly type: "paragraph"; readonly text: string };

export type Inline =
  | { readonly type: "text" | "code" | "strong"; readonly text: string }
  | { readonly type: "link"; readonly text: string; readonly href: string };

const LIST_ITEM = /^\s*(?:([-*+])|\d+[.)])\s+(.*)$/;

/** Splits text into blocks. Unclosed code fences end with the text. */
export function parseBlocks(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  let index = 0;
  while (index < lines.length) {
    const line = lines[index] ?? "";
    const fence = /^\s*(```+|~~~+)/.exec(line);
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = LIST_ITEM.exec(line);
    if (line.trim() === "") {
      index += 1;
    } else if (fence !== null) {
      const end = lines.findIndex((other, at) => at > index && other.trim().startsWith(fence[1] ?? "```"));
      const stop = end < 0 ? lines.length : end;
      blocks.push({ type: "code", text: lines.slice(index + 1, stop).join("\n") });
      index = stop + 1;
    } else if (heading !== null) {
      blocks.push({ type: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
      index += 1;
    } else if (item !== null) {
      const items: string[] = [];
      for (; index < lines.length; index += 1) {
        const next = LIST_ITEM.exec(lines[index] ?? "");
        if (next !== null) items.push(next[2] ?? "");
        else if (/^\s+\S/.test(lines[index] ?? ""))
          items.push(`${items.pop() ?? ""} ${(lines[index] ?? "").trim()}`);
        else break;
      }
      blocks.push({ type: "list", ordered: item[1] === undefined, items });
    } else {
      const quote = line.startsWith(">");
      const from = index;
      while (index < lines.length && isProse(lines[index] ?? "", quote)) index += 1;
      // A line that no branch took would loop forever.
      index = Math.max(index, from + 1);
      const prose = lines.slice(from, index).map((part) => (quote ? part.replace(/^>\s?/, "") : part));
      blocks.push({ type: quote ? "quote" : "paragraph", text: prose.join("\n") });
    }
  }
  return blocks;
}

function isProse(line: string, quote: boolean): boolean {
  if (line.trim() === "" || line.startsWith(">") !== quote) return false;
  return !/^(#{1,6})\s|^\s*(```|~~~)/.test(line) && !LIST_ITEM.test(line);
}

/** Splits a line into code, bold, links (http and https only) and text. */
export function parseInline(text: string): readonly Inline[] {
  const out: Inline[] = [];
  const pattern = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/g;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) out.push({ type: "text", text: text.slice(last, match.index) });
    if (match[1] !== undefined) out.push({ type: "code", text: match[1] });
    else if (match[2] !== undefined) out.push({ type: "strong", text: match[2] });
    else out.push({ type: "link", text: match[3] ?? "", href: match[4] ?? "" });
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push({ type: "text", text: text.slice(last) });
  return out;
}

/**
 * An issue's text as the agent may see it: what a person reading the page would not see is taken out.
 * Pure. The text stays data; the prompt fences it besides.
 */
export function visibleText(markdown: string): string {
  return (
    markdown
      .replaceAll("\r\n", "\n")
      .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
      // Elements that are not shown, with what is in them.
      .replace(/<(script|style|template|noscript)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, "")
      .replace(/<(\w+)\b[^>]*\bhidden\b[^>]*>[\s\S]*?(?:<\/\1\s*>|$)/gi, "")
      // Alternative texts and titles of images and links; link reference definitions that nobody sees.
      .replace(/!\[[^\]]*\]\(([^)\s]*)[^)]*\)/g, "![]($1)")
      .replace(/<img\b[^>]*>/gi, "[image]")
      .replace(/^\s{0,3}\[[^\]]+\]:\s+\S+.*$/gm, "")
      .replace(/(\[[^\]]*\]\([^)\s]*)\s+(?:"[^"]*"|'[^']*'|\([^)]*\))\)/g, "$1)")
      // Attributes of the remaining tags.
      .replace(/<(\/?[A-Za-z][\w-]*)\s[^>]*>/g, "<$1>")
      .replace(INVISIBLE, "")
      .trim()
  );
}

// Format characters (zero width, bidirectional controls, tags), variation selectors beyond the emoji one, and controls but tab and newline.
const INVISIBLE =
  /(?!\t|\n|\u{200D}|\u{FE0F})[\p{Cf}\p{Cc}\u{FE00}-\u{FE0E}\u{E0100}-\u{E01EF}\u{115F}\u{1160}\u{3164}\u{FFA0}]/gu;

const DEPENDENCY =
  /^\s*(?:[-*]\s*)?(?:depends(?: on)?|blocked by)\s*:?\s*((?:(?:[\w.-]+\/[\w.-]+)?#\d+[\s,]*(?:and\s+)?)+)/gim;
const REFERENCE = /([\w.-]+\/[\w.-]+)?#(\d+)/g;

/** Issues that the text says it depends on, as `owner/name#12`; a bare number means `repository`. */
export function dependenciesIn(text: string, repository: string): readonly string[] {
  const found = new Set<string>();
  for (const [, list = ""] of text.matchAll(DEPENDENCY))
    for (const [, other, number] of list.matchAll(REFERENCE))
      found.add(`${(other ?? repository).toLowerCase()}#${number}`);
  return [...found];
}

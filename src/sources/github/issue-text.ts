import { splitBlocks } from "./text/blocks.ts";
import { withoutInvisible } from "./text/invisible.ts";
import { visibleMarkup, type Reading } from "./text/markup.ts";

/**
 * What a person who reads a text's page on GitHub sees of it, as the agent may: hidden characters, comments, hidden elements and
 * attributes, alternative texts, titles, unused definitions and the like are taken out; code stays as it is. Where GitHub's reading
 * and ours could differ, more is taken out rather than less. Pure. The text stays data; the prompt fences it besides.
 */
export function visibleText(markdown: string): string {
  const reading: Reading = { hidden: null, small: 0 };
  return splitBlocks(withoutInvisible(markdown))
    .map(({ kind, text }) =>
      kind !== "code" ? visibleMarkup(text, kind === "html", reading) : reading.hidden === null ? text : "",
    )
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** A title: GitHub shows it as plain text on one line. Pure. */
export function visibleTitle(title: string): string {
  return withoutInvisible(title).replace(/\s+/g, " ").trim();
}

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

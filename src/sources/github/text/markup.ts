import { browserTag, strictTag, type Tag } from "./tags.ts";

const NOT_SHOWN = new Set([
  ...["script", "style", "template", "noscript", "title", "textarea", "select", "datalist"],
  ...["iframe", "object", "svg", "math", "canvas", "audio", "video", "noembed", "noframes"],
]);
const VOID = new Set([
  ...["area", "base", "br", "col", "embed", "hr", "img", "input"],
  ...["link", "meta", "param", "source", "track", "wbr"],
]);
const SHRINKING = new Set(["sub", "sup", "small"]);
/** Each makes letters a quarter smaller; from here on nobody reads them. */
const UNREADABLE_DEPTH = 4;
const INVISIBLE_STYLE =
  /display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em|rem|%|\s|;|$)|position\s*:\s*absolute/i;
/** Formulas in these commands draw nothing, in the colour of the page, or out of sight. */
const UNSEEN_FORMULA =
  /\\(?:[hv]?phantom|(?:text)?color(?:box)?|fcolorbox|style|class|cssId|href|unicode|require|def|newcommand|renewcommand|let|tiny|scriptscriptstyle|[rl]lap|mathrlap|mathllap|smash|kern|mkern|hspace|raise|lower|bbox|tooltip|texttip|mmlToken)\b|(?<!\\)%/i;

/** What one block leaves for the next: an element may go on behind blank lines. */
export interface Reading {
  /** The hidden element that is open, and how many of its name in it. */
  hidden: { readonly name: string; depth: number } | null;
  /** Open elements that make letters smaller. */
  small: number;
}

/**
 * What a reader of the page sees of a block that is no code. `isHtml`: it is HTML, in which Markdown means nothing.
 * Goes on in `reading` where the block before ended, and leaves in it where this one ends.
 */
export function visibleMarkup(text: string, isHtml: boolean, reading: Reading): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const { shown, to } =
      reading.hidden === null ? next(text, at, isHtml, reading) : hiddenPart(text, at, isHtml, reading);
    out += shown;
    at = to;
  }
  return withoutDefinitions(out);
}

/** What is shown from an index on, and where the next part begins. */
interface Part {
  readonly shown: string;
  readonly to: number;
}

function next(text: string, at: number, isHtml: boolean, reading: Reading): Part {
  const replaced =
    markupPart(text, at) ??
    (isHtml ? null : (imagePart(text, at) ?? formulaPart(text, at))) ??
    literalPart(text, at, isHtml);
  if (replaced !== null) return replaced;
  const tag = text[at] === "<" ? tagAt(text, at, isHtml) : null;
  if (tag === null) return { shown: text[at] ?? "", to: at + 1 };
  const isShrinking = SHRINKING.has(tag.name);
  if (isShrinking) reading.small = Math.max(0, reading.small + (tag.isClosing ? -1 : 1));
  if (!tag.isClosing && (isHidden(tag) || (isShrinking && reading.small >= UNREADABLE_DEPTH))) {
    if (isShrinking) reading.small -= 1;
    if (!VOID.has(tag.name)) reading.hidden = { name: tag.name, depth: 1 };
    return { shown: "", to: tag.end };
  }
  if (tag.name === "img" || tag.name === "image") return { shown: "[image]", to: tag.end };
  // As written: outside of HTML this may be a type in somebody's code.
  const name = text.slice(at + (tag.isClosing ? 2 : 1), at + (tag.isClosing ? 2 : 1) + tag.name.length);
  return { shown: tag.isComplete ? `<${tag.isClosing ? "/" : ""}${name}>` : "", to: tag.end };
}

/** Up to the end of the hidden element, or of the text. */
function hiddenPart(text: string, from: number, isHtml: boolean, reading: Reading): Part {
  const { hidden } = reading;
  for (let at = from; hidden !== null && at < text.length;) {
    const skipped = markupPart(text, at) ?? literalPart(text, at, isHtml);
    const tag = skipped === null && text[at] === "<" ? tagAt(text, at, isHtml) : null;
    at = skipped?.to ?? tag?.end ?? at + 1;
    if (tag?.name !== hidden.name) continue;
    hidden.depth += tag.isClosing ? -1 : 1;
    if (hidden.depth > 0) continue;
    reading.hidden = null;
    return { shown: "", to: at };
  }
  return { shown: "", to: text.length };
}

/** Comments, declarations, processing instructions. */
function markupPart(text: string, at: number): Part | null {
  if (text[at] !== "<") return null;
  const until = (mark: string, orEnd: boolean): Part | null => {
    const end = text.indexOf(mark, at + 2);
    return end < 0 ? (orEnd ? { shown: "", to: text.length } : null) : { shown: "", to: end + mark.length };
  };
  if (text.startsWith("<!--", at)) return until("-->", true);
  if (text.startsWith("<![CDATA[", at)) return until("]]>", true);
  if (text.startsWith("<?", at)) return until("?>", false);
  return /^<![a-z]/i.test(text.slice(at, at + 3)) ? until(">", false) : null;
}

/** What stays as it is written: inline code, addresses in angle brackets, an escaped character. */
function literalPart(text: string, at: number, isHtml: boolean): Part | null {
  if (isHtml) return null;
  const literal =
    text[at] === "\\"
      ? text.slice(at, at + 2)
      : text[at] === "<"
        ? /^<(?:[a-z][a-z0-9+.-]{1,31}:[^\s<>]*|[\w.+-]+@[\w.-]+)>/i.exec(text.slice(at, at + 500))?.[0]
        : text[at] === "`"
          ? codeSpan(text, at)
          : null;
  return literal === null || literal === undefined ? null : { shown: literal, to: at + literal.length };
}

function tagAt(text: string, at: number, isHtml: boolean): Tag | null {
  return isHtml ? browserTag(text, at) : strictTag(text, at);
}

function isHidden({ name, attributes }: Tag): boolean {
  return (
    NOT_SHOWN.has(name) || attributes.has("hidden") || INVISIBLE_STYLE.test(attributes.get("style") ?? "")
  );
}

/** `![alternative text](address "title")`, also with a reference instead of an address. */
function imagePart(text: string, at: number): Part | null {
  if (text.startsWith("](", at)) {
    // A link keeps its text and address; its title is shown to nobody.
    const end = closing(text, at + 1, "(", ")");
    if (end === null) return null;
    const target = /^\(\s*(<[^<>\n]*>|\S*?)(?:\s[\s\S]*)?\)$/.exec(text.slice(at + 1, end))?.[1] ?? "";
    return { shown: `](${target.slice(0, 500)})`, to: end };
  }
  if (!text.startsWith("![", at)) return null;
  const label = closing(text, at + 1, "[", "]");
  if (label === null) return null;
  const after = text[label];
  const end =
    after === "(" ? closing(text, label, "(", ")") : after === "[" ? closing(text, label, "[", "]") : null;
  return { shown: "[image]", to: end ?? label };
}

/** Longer than any label or address; whatever goes on longer is dropped as if it ended there. */
const MAX_BRACKETS = 8_000;

/** Index after the bracket that closes the one at `from`, within a paragraph. */
function closing(text: string, from: number, open: string, close: string): number | null {
  let depth = 0;
  let quote: string | null = null;
  for (let at = from; at < text.length; at += 1) {
    if (at - from > MAX_BRACKETS) return at;
    const character = text[at] ?? "";
    if (character === "\\") at += 1;
    else if (quote !== null) quote = character === quote ? null : quote;
    else if (open === "(" && /["']/.test(character) && /\s/.test(text[at - 1] ?? "")) quote = character;
    else if (character === open) depth += 1;
    else if (character === close && (depth -= 1) === 0) return at + 1;
  }
  return null;
}

function formulaPart(text: string, at: number): Part | null {
  if (text[at] !== "$") return null;
  const mark = text.startsWith("$$", at) ? "$$" : text.startsWith("$`", at) ? "`$" : "$";
  const end = text.indexOf(mark, at + 2);
  if (end < 0 || !UNSEEN_FORMULA.test(text.slice(at, end))) return null;
  return { shown: "[formula]", to: end + mark.length };
}

/** Inline code on one line. In a table a bar ends the cell before anything else is looked at. */
function codeSpan(text: string, at: number): string | null {
  if (text[at] !== "`" || text[at - 1] === "`" || text[at - 1] === "$") return null;
  const found = /^(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/.exec(text.slice(at, at + 2_000));
  return found === null || found[0].includes("|") ? null : found[0];
}

const MARKERS = String.raw`[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*`;
const DEFINITION = new RegExp(
  String.raw`^${MARKERS}\[(?:[^\]\\]|\\.){1,999}\]:[ \t]*\n?[ \t]*(?:<[^<>\n]*>|\S+)(?:[ \t]*\n?[ \t]*(?:"[^"]*"|'[^']*'|\([^)]*\)))?[ \t]*$\n?`,
  "gm",
);
/** Shown only where something refers to it; with what is indented below it. */
const FOOTNOTE = new RegExp(String.raw`^${MARKERS}\[\^[^\]\n]+\]:.*$\n?(?:(?:[ \t]{2,}.*)?$\n?)*`, "gm");

const withoutDefinitions = (text: string): string => text.replace(FOOTNOTE, "").replace(DEFINITION, "");

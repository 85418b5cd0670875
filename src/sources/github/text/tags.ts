/** A tag as it stands in a text. */
export interface Tag {
  readonly name: string;
  readonly isClosing: boolean;
  /** Attributes as written, names in small letters. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Index after its `>`; the text's length where it never ends. */
  readonly end: number;
  readonly isComplete: boolean;
}

// CommonMark's grammar of inline tags: everything else is shown as text.
const STRICT =
  /<(\/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?)*)\s*\/?>/y;
const STRICT_ATTRIBUTE = /([A-Za-z_:][\w.:-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/g;
const NAME = /<(\/?)([A-Za-z][^\s/>]*)/y;

/** The tag at `index`, as CommonMark reads it inside a paragraph; null where there is none. */
export function strictTag(text: string, index: number): Tag | null {
  STRICT.lastIndex = index;
  const found = STRICT.exec(text);
  if (found === null) return null;
  const [whole, slash, name = "", written = ""] = found;
  if (slash === "/" && written !== "") return null;
  const attributes = new Map<string, string>();
  for (const [, key = "", value = ""] of written.matchAll(STRICT_ATTRIBUTE))
    attributes.set(key.toLowerCase(), value.replace(/^["']|["']$/g, ""));
  return {
    name: name.toLowerCase(),
    isClosing: slash === "/",
    attributes,
    end: index + whole.length,
    isComplete: true,
  };
}

/** The tag at `index`, as a browser reads HTML: much more is a tag for it. Null where there is none. */
export function browserTag(text: string, index: number): Tag | null {
  NAME.lastIndex = index;
  const found = NAME.exec(text);
  if (found === null) return null;
  const attributes = new Map<string, string>();
  let at = index + found[0].length;
  const skip = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = at;
    const [taken = ""] = sticky.exec(text) ?? [];
    at += taken.length;
    return taken;
  };
  const tag = (isComplete: boolean): Tag => ({
    name: (found[2] ?? "").toLowerCase(),
    isClosing: found[1] === "/",
    attributes,
    end: Math.min(at, text.length),
    isComplete,
  });
  for (;;) {
    skip(/[\s/]*/);
    if (at >= text.length) return tag(false);
    if (text[at] === ">") {
      at += 1;
      return tag(true);
    }
    const key = skip(/=?[^\s/>=]*/);
    skip(/\s*/);
    let value = "";
    if (text[at] === "=") {
      at += 1;
      skip(/\s*/);
      const quote = text[at];
      if (quote === '"' || quote === "'") {
        const end = text.indexOf(quote, at + 1);
        value = text.slice(at + 1, end < 0 ? text.length : end);
        at = end < 0 ? text.length : end + 1;
      } else value = skip(/[^\s>]*/);
    }
    attributes.set(key.toLowerCase(), value);
  }
}

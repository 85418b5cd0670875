export interface ChatSearch {
  /** Part of a title or a message. */
  readonly q?: string;
}

/** Reads the query string. */
export function parseChatSearch(raw: Readonly<Record<string, unknown>>): ChatSearch {
  const q = typeof raw["q"] === "string" ? raw["q"].slice(0, 200) : "";
  return q.trim() === "" ? {} : { q };
}

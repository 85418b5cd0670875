export const MESSAGE_VIEWS = ["open", "answered", "mail", "undelivered"] as const;

export interface MessageSearch {
  readonly view?: "answered" | "mail" | "undelivered";
  readonly state?: "queued" | "delivered" | "acknowledged" | "dead";
  readonly recipient?: string;
}

const STATES = ["queued", "delivered", "acknowledged", "dead"] as const;

/** Reads the query string; what does not fit is dropped. */
export function parseMessageSearch(raw: Readonly<Record<string, unknown>>): MessageSearch {
  const view = (["answered", "mail", "undelivered"] as const).find((one) => one === raw["view"]);
  const state = STATES.find((one) => one === raw["state"]);
  const recipient = typeof raw["recipient"] === "string" ? raw["recipient"].slice(0, 100) : "";
  return {
    ...(view === undefined ? {} : { view }),
    ...(state === undefined ? {} : { state }),
    ...(recipient === "" ? {} : { recipient }),
  };
}

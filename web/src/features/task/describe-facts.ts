const MAX_LENGTH = 200;

/** `running → waiting, reason retry.backoff`: the facts of an event on one line. A reason stands by its message. */
export function describeFacts(data: Readonly<Record<string, unknown>>): string {
  const { from, to, ...rest } = data;
  const parts: string[] = [];
  if (to !== undefined) parts.push(from === undefined ? `→ ${show(to)}` : `${show(from)} → ${show(to)}`);
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined || value === "") continue;
    parts.push(`${name} ${show(value)}`);
  }
  const text = parts.join(", ");
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (
    typeof value === "object" &&
    value !== null &&
    "message" in value &&
    typeof value.message === "string"
  ) {
    return value.message;
  }
  return JSON.stringify(value) ?? "";
}

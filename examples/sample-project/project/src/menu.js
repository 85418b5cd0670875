import { formatYen } from "./price.js";

/** The menu as plain text: a title, a line, and one line per item with its price. */
export function formatMenu(title, items) {
  const width = Math.max(0, ...items.map((item) => item.name.length)) + 2;
  const lines = items.map((item) => `${`${item.name} `.padEnd(width, ".")} ${formatYen(item.yen)}`);
  return [title, "-".repeat(title.length), ...lines].join("\n");
}

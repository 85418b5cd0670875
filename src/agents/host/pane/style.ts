/** How texts are coloured in a pane. Without colours every function returns its text. */
export interface Style {
  agent(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** `color` is `#rrggbb`; anything else is shown in bold. */
export function createStyle(color: string, hasColors: boolean): Style {
  const wrap =
    (code: string) =>
    (text: string): string =>
      hasColors && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color)?.slice(1);
  return {
    agent: wrap(
      parts === undefined ? "1" : `38;2;${parts.map((part) => Number.parseInt(part, 16)).join(";")}`,
    ),
    dim: wrap("2"),
    bold: wrap("1"),
    red: wrap("31"),
    green: wrap("32"),
    yellow: wrap("33"),
    cyan: wrap("36"),
  };
}

/**
 * Code, which is left as it is; what models write for `$$…$$` and `$…$`; formulas between dollar signs; other dollars.
 * Between single dollars nothing begins or ends with a space, and no digit follows: "$5 or $10" is money.
 */
const PARTS = new RegExp(
  [
    /(?<kept>```[^]*?(?:```|$)|~~~[^]*?(?:~~~|$)|`[^`\n]*`|\$\$[^]*?\$\$|\\\$)/,
    /\\\[(?<display>[^]*?)\\\]/,
    /\\\((?<inline>[^\n]*?)\\\)/,
    /(?<math>\$(?=[^\s$])[^\n$]*?(?<=[^\s\\])\$(?![\d$]))/,
    /(?<dollar>\$)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Formulas between `\[ \]` and `\( \)`, as many models write them, become those between dollar signs; money stays money. */
export function mathDelimiters(text: string): string {
  return text.replace(PARTS, (whole: string, ...rest: unknown[]) => {
    const { display, inline, dollar } = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    if (display !== undefined) return `\n$$\n${display.trim()}\n$$\n`;
    if (inline !== undefined) return `$${inline.trim()}$`;
    return dollar === undefined ? whole : "\\$";
  });
}

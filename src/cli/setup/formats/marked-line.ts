import { unchangeable, type Format } from "./change.ts";

/**
 * A start file of a shell, of which nothing is understood but lines of ours: each ends with a remark that is the
 * change's path. The value is the line before it.
 */
export const markedLineFormat: Format = {
  read: (text) =>
    Object.fromEntries(
      text.split("\n").flatMap((line) => {
        const [, code, mark] = /^(.*) (# miyabi .*)$/.exec(line) ?? [];
        return code === undefined || mark === undefined ? [] : [[mark, code]];
      }),
    ),
  edit: (text, changes, source) =>
    changes.reduce((now, { path, value }) => {
      const [mark] = path;
      if (typeof mark !== "string" || (value !== undefined && typeof value !== "string"))
        throw unchangeable(source, "it takes lines only");
      const lines = now.split("\n");
      const index = lines.findIndex((line) => line.endsWith(` ${mark}`));
      if (value === undefined) return index < 0 ? now : lines.toSpliced(index, 1).join("\n");
      if (index >= 0) return lines.with(index, `${value} ${mark}`).join("\n");
      return `${now}${now === "" || now.endsWith("\n") ? "" : "\n"}${value} ${mark}\n`;
    }, text),
};

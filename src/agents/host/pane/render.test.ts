import { describe, expect, test } from "vitest";
import type { TranscriptBody } from "../../../contract/index.ts";
import { renderItem } from "./render.ts";
import { createStyle } from "./style.ts";
import { fitText, textWidth, wrapText } from "./text-width.ts";

const style = createStyle("#ff8800", false);
const render = (body: TranscriptBody, columns = 60): string[] =>
  renderItem({ seq: 1, at: "2026-11-21T01:02:03.000Z", body }, { name: "Kaede", style, columns });

describe("pane text", () => {
  test("counts wide characters as two columns", () => {
    expect(textWidth("カエデ")).toBe(6);
    expect(fitText("カエデです", 7)).toBe("カエデ…");
    expect(fitText("short", 7)).toBe("short");
  });

  test.each([10, 23, 60])("wraps to %i columns at spaces and loses nothing", (columns) => {
    const text = `The quick brown fox jumps over 吾輩は猫である。名前はまだ無い ${"x".repeat(70)} end`;
    const lines = wrapText(text, columns);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  });

  test("shows the time once and indents what follows", () => {
    expect(render({ kind: "text", text: "first\nsecond" })).toEqual(["01:02 Kaede first", "        second"]);
  });

  test("shows only the changed lines of a diff", () => {
    const lines = render({
      kind: "tool",
      toolCallId: "1",
      title: "Edit a.ts",
      tool: "edit",
      status: "completed",
      input: null,
      output: null,
      diffs: [{ path: "a.ts", oldText: "one\ntwo\nthree", newText: "one\n2\nthree" }],
    });
    expect(lines.map((line) => line.trim())).toEqual(["01:02 ✓ Edit a.ts", "a.ts", "- two", "+ 2"]);
  });

  test("a failed tool shows the end of its output", () => {
    const lines = render({
      kind: "tool",
      toolCallId: "1",
      title: "npm test",
      tool: "execute",
      status: "failed",
      input: null,
      output: "a\nboom",
      diffs: [],
    });
    expect(lines[0]).toContain("✗ npm test");
    expect(lines.at(-1)).toContain("boom");
  });

  test("colours do not change what is said", () => {
    const coloured = createStyle("#ff8800", true);
    expect(coloured.agent("x")).toBe("\x1b[38;2;255;136;0mx\x1b[0m");
    expect(createStyle("red; rm", true).agent("x")).toBe("\x1b[1mx\x1b[0m");
  });
});

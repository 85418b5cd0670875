import { expect, test } from "vitest";
import type { TranscriptBody, TranscriptItem } from "../../../../src/contract/index.ts";
import { TranscriptFeed } from "./transcript-feed.ts";
import { TranscriptRows } from "./transcript-rows.ts";

const item = (seq: number, body: TranscriptBody): TranscriptItem => ({
  seq,
  at: "2026-03-01T00:00:00Z",
  body,
});
const text = (seq: number): TranscriptItem => item(seq, { kind: "text", text: `word ${seq}` });
const tool = (seq: number, status: "running" | "completed", output: string | null): TranscriptItem =>
  item(seq, {
    kind: "tool",
    toolCallId: "a",
    title: "Read",
    tool: "read",
    status,
    input: null,
    output,
    diffs: [],
  });

test("a tool call stands where it began and shows its newest state", () => {
  const rows = new TranscriptRows();
  rows.append([text(1), tool(2, "running", null), text(3), tool(4, "completed", "found")]);
  expect(rows.snapshot.map(({ seq, body }) => [seq, body.kind])).toEqual([
    [1, "text"],
    [2, "tool"],
    [3, "text"],
  ]);
  expect(rows.snapshot[1]?.body).toMatchObject({ status: "completed", output: "found" });
});

test("a command's output is one row, and the same command run again is another", () => {
  const rows = new TranscriptRows();
  const command = (seq: number, output: string, exitCode: number | null): TranscriptItem =>
    item(seq, { kind: "command", command: "npm test", output, exitCode, durationMs: null, cached: false });
  rows.append([command(1, "a", null), command(2, "b", 0), command(3, "c", 1)]);
  expect(rows.snapshot.map(({ body }) => body)).toMatchObject([
    { output: "ab", exitCode: 0 },
    { output: "c", exitCode: 1 },
  ]);
});

test("counts turns by their prompts, ignores what it has, and finds the row of a line", () => {
  const rows = new TranscriptRows();
  rows.append([
    item(1, { kind: "prompt", text: "do" }),
    text(2),
    tool(3, "running", null),
    tool(4, "completed", ""),
  ]);
  const before = rows.snapshot;
  rows.append([text(2)]);
  expect(rows.snapshot).toBe(before);
  rows.append([item(5, { kind: "prompt", text: "again" })]);
  expect(rows.snapshot.map(({ turn }) => turn)).toEqual([1, 1, 1, 2]);
  expect([0, 1, 4, 5, 6].map((seq) => rows.indexOf(seq))).toEqual([0, 0, 2, 3, -1]);
});

test("reads on to the end, once more for looks that came meanwhile, and nothing after it was stopped", async () => {
  const all = Array.from({ length: 5 }, (_, index) => text(index + 1));
  let known = 3;
  const asked: number[] = [];
  const feed = new TranscriptFeed((after) => {
    asked.push(after);
    return Promise.resolve({
      items: all.slice(after, Math.min(after + 2, known)),
      lastSeq: known,
      ended: known === 5,
    });
  });
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      const stop = feed.subscribe(() => {
        if (feed.read().rows.length < known) return;
        stop();
        resolve();
      });
    });
  const first = settled();
  feed.start();
  await first;
  expect(feed.read()).toMatchObject({ loading: false, ended: false });
  known = 5;
  const second = settled();
  feed.look();
  feed.look();
  await second;
  expect(feed.read().rows).toHaveLength(5);
  expect(feed.read().ended).toBe(true);
  feed.stop();
  const count = asked.length;
  feed.look();
  expect(asked).toHaveLength(count);
});

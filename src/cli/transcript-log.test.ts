import { expect, it } from "vitest";
import { setupCommandLine } from "./command-line-fixture.ts";
import { bodyText } from "./transcript-log.ts";

const item = (seq: number, body: Record<string, unknown>) => ({
  seq,
  at: `2026-11-21T01:02:${String(seq % 60).padStart(2, "0")}.000Z`,
  body,
  runId: "R1",
  taskId: "T1",
  step: "implement",
  slot: "kaede",
});
const texts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    item(from + index, { kind: "text", text: `第${from + index}行` }),
  );

it("reads as many pages as the lines take, and prints them oldest first", async () => {
  const { run, requests } = await setupCommandLine(({ url }) => ({
    status: 200,
    body: url.includes("cursor=older")
      ? { items: texts(1, 50), nextCursor: null }
      : { items: texts(51, 250), nextCursor: "older" },
  }));
  const { code, stdout } = await run("logs", "--json", "--lines", "250", "--task", "T1", "--agent", "kaede");
  expect(code).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(
    texts(1, 250).map((one) => one.seq),
  );
  expect(requests.map((request) => request.url)).toEqual([
    "/api/logs?limit=200&task=T1&agent=kaede",
    "/api/logs?limit=50&cursor=older&task=T1&agent=kaede",
  ]);
});

it("prints a tool call once, when it has ended, and indents further lines", async () => {
  const tool = {
    kind: "tool",
    toolCallId: "c",
    title: "Read a",
    tool: "read",
    input: null,
    output: null,
    diffs: [],
  };
  const items = [
    item(1, { ...tool, status: "running" }),
    item(2, { ...tool, status: "completed" }),
    item(3, { kind: "text", text: "一\n二\u001b[2J" }),
  ];
  const { run } = await setupCommandLine(() => ({ status: 200, body: { items, nextCursor: null } }));
  const { stdout } = await run("logs");
  expect(stdout.split("\n")).toEqual([
    "01:02:02  T1    kaede     ▸ Read a",
    "01:02:03  T1    kaede     一",
    "                          二",
    "",
  ]);
});

it.each([
  [
    { kind: "command", command: "npm test", output: "", exitCode: 1, durationMs: 5, cached: false },
    "$ npm test → 1",
  ],
  [
    { kind: "command", command: "npm test", output: "ok\n", exitCode: null, durationMs: null, cached: false },
    "ok\n",
  ],
  [{ kind: "result", verdict: "approve", notes: "" }, "■ approve"],
  [
    { kind: "permission", requestId: "p", title: "Run rm", decision: "denied", by: "policy" },
    "? Run rm: denied by policy",
  ],
  [{ kind: "usage", tokensIn: 5, tokensOut: null }, "tokens: 5 in, ? out"],
] as const)("says %j", (body, text) => {
  expect(bodyText(body)).toBe(text);
});

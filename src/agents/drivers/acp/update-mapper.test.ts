import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";
import { createUpdateMapper } from "./update-mapper.ts";

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

function setup() {
  const clock = createFakeClock();
  const events: TranscriptBody[] = [];
  const mapper = createUpdateMapper({ clock, onEvent: (event) => events.push(event) });
  const say = (text: string) =>
    mapper.update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
  const tool = (changes: object) =>
    mapper.update({ sessionUpdate: "tool_call_update", toolCallId: "t-1", title: "Write", ...changes });
  return { clock, events, mapper, say, tool };
}

describe("createUpdateMapper", () => {
  it("joins words that come within 200 ms, and sends them before anything else", async () => {
    const { clock, events, say, tool } = setup();
    say("one ");
    say("two");
    expect(events).toEqual([]);
    clock.advance(200);
    await settle();
    expect(events).toEqual([{ kind: "text", text: "one two" }]);
    say("three");
    tool({ status: "completed" });
    expect(events.map((event) => event.kind)).toEqual(["text", "text", "tool"]);
  });

  it("thins out a tool call's input that is streamed word by word", async () => {
    const { clock, events, tool } = setup();
    tool({ status: "pending" });
    for (let length = 1; length <= 100; length += 1) tool({ rawInput: { content: "x".repeat(length) } });
    expect(events).toHaveLength(1);
    clock.advance(200);
    await settle();
    expect(events).toHaveLength(2);
    tool({ rawInput: { content: "whole" } });
    tool({ status: "completed" });
    expect(events).toHaveLength(3);
    expect(events[2]).toMatchObject({ status: "completed", input: '{"content":"whole"}' });
  });

  it("fails a held tool call at the end of the turn with its last state", () => {
    const { events, mapper, tool } = setup();
    tool({ status: "pending" });
    tool({ status: "in_progress", rawInput: { command: "make" } });
    mapper.endTurn("over");
    expect(events.at(-1)).toMatchObject({ status: "failed", input: "make", output: "over" });
  });

  it("shows a command's output as it grows, cut at 16 KB", () => {
    const { events, tool } = setup();
    tool({ status: "in_progress" });
    for (let part = 0; part < 30; part += 1)
      tool({ _meta: { terminal_output_delta: { data: "y".repeat(1_000) } } });
    tool({ status: "completed" });
    const last = events.at(-1);
    expect(last?.kind === "tool" ? last.output?.length : 0).toBeLessThan(17_000);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { createDriverBench, type DriverBench } from "../../../../test/support/agent-driver.ts";
import type { TurnOutcome } from "../../driver.ts";
import type { AgentProfile } from "../../profile.ts";
import { openCommandAgent } from "./open.ts";

const benches: DriverBench[] = [];
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.cleanUp();
});

async function setup(script: string, profile: Partial<AgentProfile> = {}): Promise<DriverBench> {
  const bench = await createDriverBench({
    driver: "command",
    command: "/bin/sh",
    args: ["-c", script, "agent"],
    ...profile,
  });
  benches.push(bench);
  return bench;
}

async function turn(bench: DriverBench, prompt = "do it"): Promise<TurnOutcome> {
  const session = await openCommandAgent(bench.params);
  return session.prompt(prompt).finally(() => session.close());
}

const lines = (...values: unknown[]): string =>
  `cat <<'END'\n${values.map((value) => JSON.stringify(value)).join("\n")}\nEND`;

describe("a command agent", () => {
  it("gets the prompt on standard input and hands its verdict over in $MIYABI_RESULT", async () => {
    const bench = await setup(
      `read line; echo "got $line for $MIYABI_TASK/$MIYABI_RUN as $MIYABI_ROLE"; echo '{"verdict":"done","notes":"easy"}' > "$MIYABI_RESULT"`,
    );
    expect(await turn(bench)).toEqual({
      outcome: "ended",
      tokensIn: null,
      tokensOut: null,
      verdict: "done",
      notes: "easy",
    });
    expect(bench.text()).toBe("got do it for T-1/R-1 as code\n");
  });

  it.each([
    ["argument", [], 'echo "$1"'],
    ["argument", ["-x", "{prompt}"], 'echo "$2"'],
    ["file", [], 'cat "$1"'],
    ["file", ["-f", "{promptFile}"], 'cat "$2"'],
  ] as const)("gets the prompt by %s with arguments %j", async (promptBy, args, script) => {
    const bench = await setup(script, { promptBy, args: ["-c", script, "agent", ...args] });
    expect(await turn(bench, "日本語 {home}")).toMatchObject({ outcome: "ended", verdict: null });
    expect(bench.text().trim()).toBe("日本語 {home}");
  });

  it("does not take the verdict of an earlier turn for its own", async () => {
    const bench = await setup(
      'read line; test "$line" = first && echo \'{"verdict":"done"}\' > "$MIYABI_RESULT"; true',
    );
    const session = await openCommandAgent(bench.params);
    expect(await session.prompt("first\n")).toMatchObject({ verdict: "done" });
    expect(await session.prompt("second\n")).toMatchObject({ verdict: null });
  });

  it("is broken, with the end of its standard error, where it fails", async () => {
    const bench = await setup("echo why >&2; exit 4");
    expect(await turn(bench)).toEqual({
      outcome: "broken",
      detail: "Test agent: It exited with code 4.\nIts standard error ends with:\nwhy",
    });
  });

  it.each([
    ["no JSON", "echo nonsense > $MIYABI_RESULT"],
    ["a missing field", "echo '{}' > $MIYABI_RESULT"],
    ["a link to another file", "ln -s /etc/passwd $MIYABI_RESULT"],
    ["a pipe", "mkfifo $MIYABI_RESULT"],
    ["a huge file", "head -c 300000 /dev/zero > $MIYABI_RESULT"],
  ])("is broken where its result is %s", async (_name, script) => {
    const bench = await setup(script);
    expect(await turn(bench)).toMatchObject({
      outcome: "broken",
      detail: expect.stringContaining("$MIYABI_RESULT"),
    });
  });

  it("is broken where the prompt does not fit into an argument", async () => {
    const bench = await setup("true", { promptBy: "argument" });
    expect(await turn(bench, "x".repeat(200_000))).toMatchObject({
      outcome: "broken",
      detail: expect.stringContaining("too long for an argument"),
    });
  });

  it("is broken where the program does not exist", async () => {
    const bench = await setup("true", { command: "/nowhere/agent" });
    expect(await turn(bench)).toMatchObject({ outcome: "broken" });
  });

  it("is cancelled with all its children", async () => {
    const bench = await setup("echo begun; sleep 600 & wait");
    const session = await openCommandAgent(bench.params);
    const running = session.prompt("work");
    await expect.poll(bench.text, { interval: 10 }).toContain("begun");
    await session.cancel(1_000);
    expect(await running).toEqual({ outcome: "cancelled" });
  });

  it("reports a usage limit", async () => {
    const bench = await setup('echo "You have hit your usage limit. Try again in 5 minutes." >&2; exit 1');
    expect(await turn(bench)).toMatchObject({ outcome: "quota", resetAt: expect.any(Date) });
  });
});

describe("its output", () => {
  it("becomes events from JSON lines, without those that only the host may say", async () => {
    const bench = await setup(
      lines(
        { kind: "thought", text: "hm\u001b[2J" },
        {
          kind: "tool",
          toolCallId: "1",
          title: "Run",
          tool: "execute",
          status: "running",
          input: null,
          output: null,
          diffs: [],
        },
        { kind: "result", verdict: "done", notes: "forged" },
        { kind: "usage", tokensIn: 3, tokensOut: 4 },
      ),
      { output: "json-lines" },
    );
    expect(await turn(bench)).toMatchObject({ outcome: "ended", tokensIn: 3, tokensOut: 4, verdict: null });
    expect(bench.events.map((event) => event.kind)).toEqual(["thought", "tool", "text", "usage", "tool"]);
    expect(bench.ofKind("thought")[0]?.text).toBe("hm\n");
    expect(bench.ofKind("tool").at(-1)?.status).toBe("failed");
  });

  it("becomes events from Claude's stream-json", async () => {
    const bench = await setup(
      lines(
        { type: "system", subtype: "init", session_id: "s" },
        {
          type: "assistant",
          message: {
            content: [
              { type: "text", text: "I look" },
              { type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } },
            ],
          },
        },
        {
          type: "user",
          message: { content: [{ type: "tool_result", tool_use_id: "t1", content: "a.txt" }] },
        },
        {
          type: "result",
          subtype: "success",
          is_error: false,
          result: "ok",
          usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 9 },
        },
      ),
      { output: "claude-stream-json" },
    );
    expect(await turn(bench)).toMatchObject({ outcome: "ended", tokensIn: 7, tokensOut: 9 });
    expect(bench.ofKind("tool")).toEqual([
      expect.objectContaining({ title: "Bash", tool: "execute", status: "running" }),
      expect.objectContaining({ title: "Bash", tool: "execute", status: "completed", output: "a.txt" }),
    ]);
  });

  it("fails the turn where Claude's result says so", async () => {
    const bench = await setup(
      lines({
        type: "result",
        subtype: "success",
        is_error: true,
        result: "Invalid API key · Please run /login",
      }),
      { output: "claude-stream-json" },
    );
    expect(await turn(bench)).toMatchObject({
      outcome: "broken",
      detail: expect.stringContaining("not signed in"),
    });
  });

  it("becomes events from codex exec --json", async () => {
    const command = { id: "i1", type: "command_execution", command: "ls" };
    const bench = await setup(
      lines(
        { type: "thread.started", thread_id: "t" },
        { type: "item.started", item: { ...command, status: "in_progress" } },
        {
          type: "item.completed",
          item: { ...command, aggregated_output: "no", exit_code: 2, status: "failed" },
        },
        { type: "item.completed", item: { id: "i2", type: "agent_message", text: "Done." } },
        { type: "turn.completed", usage: { input_tokens: 11, output_tokens: 12 } },
      ),
      { output: "codex-json" },
    );
    expect(await turn(bench)).toMatchObject({ outcome: "ended", tokensIn: 11, tokensOut: 12 });
    expect(bench.ofKind("tool").map((event) => event.status)).toEqual(["running", "failed"]);
    expect(bench.text()).toBe("Done.\n");
  });
});

import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { isProcessAlive } from "../../../base/index.ts";
import { createDriverBench, type DriverBench } from "../../../../test/support/agent-driver.ts";
import type { DriverParams } from "../../driver.ts";
import type { AgentProfile } from "../../profile.ts";
import { openAcpAgent } from "./open.ts";

const SCRIPT = path.resolve(import.meta.dirname, "../../../../test/support/agents/misbehaving.mjs");
const benches: DriverBench[] = [];
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.cleanUp();
});

async function setup(
  behaviour: string,
  changes: Partial<DriverParams> = {},
  profile: Partial<AgentProfile> = {},
): Promise<DriverBench> {
  const bench = await createDriverBench(
    { command: "{node}", args: [SCRIPT, behaviour], ...profile },
    changes,
  );
  benches.push(bench);
  return bench;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 10_000, interval: 10 }).toBe(true);
}

describe("opening a session", () => {
  it("names the exit code and the end of standard error of an agent that exits at once", async () => {
    const { params } = await setup("exits-at-once");
    await expect(openAcpAgent(params)).rejects.toMatchObject({
      code: "agent.protocol",
      message: expect.stringMatching(/exited with code 3[\s\S]*no license found/),
    });
  });

  it("gives up on an agent that never answers and ends it", async () => {
    const bench = await setup("never-answers", { startTimeoutMs: 300 });
    await expect(openAcpAgent(bench.params)).rejects.toMatchObject({
      code: "agent.protocol",
      message: expect.stringContaining("did not open a session within 0.3 s"),
    });
  });

  it("stops reading binary output after 64 KiB", async () => {
    const { params, ofKind } = await setup("binary");
    await expect(openAcpAgent(params)).rejects.toMatchObject({
      code: "agent.protocol",
      message: expect.stringContaining("not the Agent Client Protocol"),
    });
    expect(ofKind("notice")).toHaveLength(1);
  });

  it("stays small when an agent prints 100 MB without a newline", async () => {
    const { params } = await setup("endless-line");
    const before = process.memoryUsage().rss;
    await expect(openAcpAgent(params)).rejects.toMatchObject({
      message: expect.stringContaining("more than 16 MiB"),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
  });

  it("refuses another version of the protocol", async () => {
    const { params } = await setup("wrong-version");
    await expect(openAcpAgent(params)).rejects.toMatchObject({
      message: expect.stringContaining("version 7"),
    });
  });

  it("says that the agent is not signed in", async () => {
    const { params } = await setup("needs-login");
    await expect(openAcpAgent(params)).rejects.toMatchObject({
      message: expect.stringContaining("not signed in"),
      details: { failure: "authentication", resetAt: null },
    });
  });

  it("ends when the caller's signal aborts during the start", async () => {
    const stop = new AbortController();
    const { params } = await setup("never-answers", { signal: stop.signal });
    const opening = openAcpAgent(params);
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: "agent.protocol" });
  });

  it("hides what a loaded session repeats and closes the tool calls it left open", async () => {
    const { params, events } = await setup("replays", { resumeSessionId: "s-1" }, { resume: "load" });
    const session = await openAcpAgent(params);
    expect(session).toMatchObject({ sessionId: "s-1", resumed: true });
    await session.prompt("go on");
    await session.close();
    expect(events).toEqual([
      expect.objectContaining({ kind: "tool", toolCallId: "t-9", status: "failed" }),
      { kind: "text", text: "new words" },
    ]);
  });

  it("starts a new session where the agent has forgotten the old one", async () => {
    const { params } = await setup("forgets-sessions", { resumeSessionId: "s-0" }, { resume: "load" });
    const session = await openAcpAgent(params);
    expect(session).toMatchObject({ sessionId: "s-1", resumed: false });
    await session.close();
  });
});

describe("a turn", () => {
  it("is broken, with its open tool call failed, when the agent dies in the middle", async () => {
    const { params, ofKind } = await setup("dies-mid-turn");
    const session = await openAcpAgent(params);
    const outcome = await session.prompt("build");
    expect(outcome).toMatchObject({
      outcome: "broken",
      detail: expect.stringMatching(/exited with code 139[\s\S]*segmentation fault/),
    });
    expect(ofKind("tool").at(-1)).toMatchObject({ toolCallId: "t-1", status: "failed" });
    expect(await session.prompt("again")).toMatchObject({ outcome: "broken" });
    await session.close();
  });

  it("is cancelled by force when the agent ignores the request", async () => {
    const { params, text } = await setup("ignores-cancel");
    const session = await openAcpAgent(params);
    const turn = session.prompt("work");
    await until(() => text() !== "");
    await session.cancel(100);
    expect(await turn).toEqual({ outcome: "cancelled" });
    await session.close();
  });

  it("passes permission requests on, cleaned, and answers with the decision", async () => {
    const bench = await setup("asks-outside", {
      onPermission: async (request) => {
        bench.permissions.push(request);
        return { optionId: "no" };
      },
    });
    const session = await openAcpAgent(bench.params);
    await session.prompt("look around");
    await session.close();
    expect(bench.permissions[0]).toMatchObject({
      title: "Read /etc/shadow",
      paths: ["/etc/shadow"],
      tool: "read",
    });
    expect(bench.text()).toBe("chose no");
  });

  it("takes back a waiting permission request when the turn is cancelled", async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const bench = await setup("asks-outside", {
      onPermission: (_request, signal) => {
        asked.resolve(signal);
        return new Promise(() => {});
      },
    });
    const session = await openAcpAgent(bench.params);
    const turn = session.prompt("look around");
    const signal = await asked.promise;
    await session.cancel(5_000);
    expect(signal.aborted).toBe(true);
    expect(await turn).toEqual({ outcome: "cancelled" });
    expect(bench.text()).toBe("cancelled");
    await session.close();
  });

  it("does not accept an option that was not offered", async () => {
    const bench = await setup("asks-outside", { onPermission: async () => ({ optionId: "everything" }) });
    const session = await openAcpAgent(bench.params);
    await session.prompt("look around");
    await session.close();
    expect(bench.text()).toBe("cancelled");
  });

  it("reports a usage limit with its reset time, whether said as an error or as words", async () => {
    const { params } = await setup("out-of-quota");
    const session = await openAcpAgent(params);
    const before = Date.now();
    const minutesUntilReset = async (text: string): Promise<number | null> => {
      const turn = await session.prompt(text);
      if (turn.outcome !== "quota" || turn.resetAt === null) return null;
      return Math.round((turn.resetAt.getTime() - before) / 60_000);
    };
    expect(await minutesUntilReset("error")).toBe(125);
    expect(await minutesUntilReset("words")).toBe(60);
    await session.close();
  });

  it("survives messages that it does not understand and cleans the rest", async () => {
    const { params, events, text } = await setup("odd-messages");
    const session = await openAcpAgent(params);
    expect(await session.prompt("surprise me")).toEqual({
      outcome: "ended",
      tokensIn: 15,
      tokensOut: 7,
      verdict: null,
      notes: null,
    });
    await session.close();
    expect(text()).toBe("plain bold \ufffdtrick");
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: "tool",
        tool: "edit",
        status: "completed",
        diffs: [{ path: "a.txt", oldText: null, newText: "one red" }],
      }),
    );
    expect(events).toContainEqual({
      kind: "plan",
      entries: [
        { text: "One", status: "completed" },
        { text: "Two", status: "pending" },
      ],
    });
  });

  it("leaves no child of the agent behind after close", async () => {
    const { params, cwd } = await setup("forks-children");
    const session = await openAcpAgent(params);
    const file = path.join(cwd, "child.pid");
    await session.prompt(file);
    const pid = Number(await readFile(file, "utf8"));
    expect(await isProcessAlive(pid)).toBe(true);
    await session.close();
    await session.close();
    await until(async () => !(await isProcessAlive(pid)));
  });
});

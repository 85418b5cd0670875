import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { processStartTicks, silentLog, systemClock } from "../../base/index.ts";
import { because } from "../../tasks/index.ts";
import { setupTasks } from "../../tasks/tasks-fixture.ts";
import { type ControlMessage, type HostMessage, PROTOCOL_VERSION } from "../protocol.ts";
import { createHostHub } from "./host-hub.ts";

/** The control plane's end of a line. */
class Line extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly sent: ControlMessage[] = [];
  send(text: string): void {
    this.sent.push(JSON.parse(text) as ControlMessage);
  }
  close(): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 3;
    this.emit("close");
  }
  terminate(): void {
    this.close();
  }
  says(message: HostMessage): void {
    this.emit("message", Buffer.from(JSON.stringify(message)));
  }
  async answer(type: ControlMessage["type"]): Promise<ControlMessage | undefined> {
    await expect.poll(() => this.sent.map((message) => message.type)).toContain(type);
    return this.sent.find((message) => message.type === type);
  }
}

async function setup() {
  const bundle = await setupTasks();
  const hub = createHostHub({
    database: bundle.database,
    instance: `test-${process.pid}`,
    runs: bundle.runs,
    transcripts: { append: () => Promise.resolve(0) },
    permissions: { ask: () => Promise.resolve("asked" as const) },
    mailboxes: { delivered: () => Promise.resolve() },
    clock: systemClock,
    log: silentLog,
    leaseMs: 60_000,
    onChange: () => {},
  });
  const taskId = await bundle.add();
  const run = await bundle.claim("code");
  if (run === null) throw new Error("nothing was due");
  const ticks = Number(await processStartTicks(process.pid));
  const connect = (alive: boolean, process = { pid: 1, startTicks: "1" }): Line => {
    const line = new Line();
    hub.accept(line as unknown as WebSocket);
    line.says({
      type: "hello",
      version: PROTOCOL_VERSION,
      slot: "kaede",
      ...process,
      machine: "m",
      run: { runId: run.runId, attempt: run.attempt, alive, lastSeq: 0 },
    });
    return line;
  };
  return { ...bundle, taskId, run, ticks, connect };
}

const WITHOUT_VERDICT: Extract<HostMessage, { type: "finished" }>["result"] = {
  outcome: "failed",
  code: "agent.no_verdict",
  message: "The agent ended without reporting a result.",
  verdict: null,
  notes: null,
  commit: null,
  exitCode: null,
  tokensIn: null,
  tokensOut: null,
  quotaResetAt: null,
  log: "",
};

test("a host that comes back is told the verdict that its agent gave meanwhile", async () => {
  const { runs, run, connect } = await setup();
  await runs.recordVerdict(run, "done", "All of it.");
  const line = connect(true);
  expect(await line.answer("verdict")).toEqual({
    type: "verdict",
    runId: run.runId,
    attempt: run.attempt,
    verdict: "done",
  });
  expect(line.sent.map((message) => message.type)).toEqual(["welcome", "verdict"]);
});

test("a verdict that only we heard of counts, with the work that was handed over", async () => {
  const { database, runs, run, taskId, connect } = await setup();
  const line = connect(true);
  await line.answer("welcome");
  await runs.recordVerdict(run, "done", "All of it.");
  await database.query("update miyabi.runs set handover_commit = 'c', handover_tree = 't' where id = $1", [
    run.runId,
  ]);
  line.says({
    type: "finished",
    runId: run.runId,
    attempt: run.attempt,
    result: { ...WITHOUT_VERDICT, commit: "c" },
  });
  await line.answer("ack-finished");
  const { rows } = await database.query(
    "select r.state, r.verdict, t.head_commit from miyabi.runs r join miyabi.tasks t on t.id = r.task_id where r.id = $1 and t.id = $2",
    [run.runId, taskId],
  );
  expect(rows).toEqual([{ state: "succeeded", verdict: "done", head_commit: "c" }]);
});

test("a takeover of a run that another host has by now changes nothing, and the host is told so", async () => {
  const { database, runs, run, taskId, claim, connect } = await setup();
  const line = connect(true);
  await line.answer("welcome");
  await runs.lose(run, because("host.silent", "It was silent."));
  expect(await claim("code")).toMatchObject({ taskId });
  line.says({ type: "taken-over", runId: run.runId, attempt: run.attempt });
  expect(await line.answer("lost")).toMatchObject({ runId: run.runId, attempt: run.attempt });
  const { rows } = await database.query("select state, taken_over from miyabi.tasks where id = $1", [taskId]);
  expect(rows).toEqual([{ state: "running", taken_over: false }]);
});

test("a host that was replaced and comes back is refused, and its successor keeps its run", async () => {
  const { database, run, ticks, connect } = await setup();
  const successor = connect(true, { pid: process.pid, startTicks: String(ticks) });
  await successor.answer("welcome");
  const older = connect(true, { pid: 1, startTicks: String(ticks - 1) });
  expect(await older.answer("lost")).toMatchObject({ runId: run.runId });
  await expect.poll(() => older.readyState).toBe(3);
  expect(successor.readyState).toBe(1);
  const { rows } = await database.query("select state from miyabi.runs where id = $1", [run.runId]);
  expect(rows).toEqual([{ state: "leased" }]);
});

test("a takeover holds the task for a person until the host gives it back", async () => {
  const { run, taskId, stateOf, connect } = await setup();
  const line = connect(true);
  await line.answer("welcome");
  line.says({ type: "taken-over", runId: run.runId, attempt: run.attempt });
  await expect.poll(() => stateOf(taskId)).toBe("waiting");
  line.says({ type: "handed-back", runId: run.runId, attempt: run.attempt, commits: "" });
  await expect.poll(() => stateOf(taskId)).toBe("running");
});

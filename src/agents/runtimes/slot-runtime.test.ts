import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isProcessAlive, signalProcess, systemClock, systemProcessRunner } from "../../base/index.ts";
import { createProcessRuntime } from "./process-runtime.ts";
import type { SlotRuntime, StartSlot } from "./slot-runtime.ts";
import { createTmuxRuntime } from "./tmux-runtime.ts";

const ENVIRONMENT = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: os.tmpdir(), LANG: "C.UTF-8" };

const KINDS = ["tmux", "process"] as const;
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

function createRuntime(kind: (typeof KINDS)[number], runDir: string): SlotRuntime {
  return kind === "tmux"
    ? createTmuxRuntime({
        runDir,
        runner: systemProcessRunner,
        clock: systemClock,
        env: { ...ENVIRONMENT, LEAK: "no" },
      })
    : createProcessRuntime({ runDir, clock: systemClock });
}

async function setup(kind: (typeof KINDS)[number]) {
  const runDir = await mkdtemp(path.join(os.tmpdir(), "miyabi-slots-"));
  const runtime = createRuntime(kind, runDir);
  open.push(async () => {
    await runtime.stopAll();
    await rm(runDir, { recursive: true, force: true });
  });
  await runtime.ensureServer();
  const spec = (slot: string, script = "echo ready; exec sleep 1000"): StartSlot => ({
    slot,
    title: `${slot} カエデ · code`,
    color: "#ff8800",
    command: ["sh", "-c", script],
    env: { PATH: ENVIRONMENT.PATH, GREETING: 'it\'s a "test" 雅' },
  });
  return { runDir, runtime, spec, again: () => createRuntime(kind, runDir) };
}

async function until<T>(look: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const value = await look();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each(KINDS)("%s runtime", (kind) => {
  test("lists nothing and stops nothing before anything was started", async () => {
    const { runtime } = await setup(kind);
    expect(await runtime.list()).toEqual([]);
    expect(await runtime.capture("kaede")).toBeNull();
    expect(await runtime.attachCommand("kaede")).toBeNull();
    await runtime.stop("kaede");
  });

  test("shows the program's words with their colours and gives it only the environment it was given", async () => {
    const { runtime, spec } = await setup(kind);
    await runtime.start(
      spec("kaede", `printf '\\033[31m%s\\033[0m\\n' "$GREETING"; echo "leak=$LEAK."; exec sleep 1000`),
    );
    const screen = await until(
      () => runtime.capture("kaede"),
      (shown) => shown?.content.includes("leak=") === true,
    );
    expect(screen?.content).toContain('it\'s a "test" 雅');
    expect(screen?.content).toMatch(/\x1b\[[0-9;]*31m/);
    expect(screen?.content).toContain("leak=.");
    expect(screen?.columns).toBeGreaterThan(20);
    expect(screen?.rows).toBeGreaterThan(5);
  });

  test("starting a live slot again leaves it alone", async () => {
    const { runtime, spec } = await setup(kind);
    const first = await runtime.start(spec("kaede"));
    const [second, third] = await Promise.all([runtime.start(spec("kaede")), runtime.start(spec("kaede"))]);
    expect(second.pid).toBe(first.pid);
    expect(third.pid).toBe(first.pid);
    expect(await runtime.list()).toEqual([
      expect.objectContaining({ slot: "kaede", pid: first.pid, dead: false }),
    ]);
  });

  test("another instance finds what an earlier one started", async () => {
    const { runtime, spec, again } = await setup(kind);
    const { pid } = await runtime.start(spec("kaede"));
    const later = again();
    await later.ensureServer();
    expect(await later.list()).toEqual([expect.objectContaining({ slot: "kaede", pid, dead: false })]);
    expect((await later.start(spec("kaede"))).pid).toBe(pid);
  });

  test("a killed program shows as dead and starts again in its place", async () => {
    const { runtime, spec } = await setup(kind);
    const { pid } = await runtime.start(spec("kaede"));
    await runtime.start(spec("sakura"));
    signalProcess(pid, "SIGKILL");
    await until(
      () => runtime.list(),
      (slots) => slots.some((slot) => slot.slot === "kaede" && slot.dead),
    );
    const next = await runtime.start(spec("kaede"));
    expect(next.pid).not.toBe(pid);
    const slots = await runtime.list();
    expect(slots.map(({ slot, dead }) => [slot, dead]).sort()).toEqual([
      ["kaede", false],
      ["sakura", false],
    ]);
  });

  test("restart replaces a stopped process and one that ignores hang-ups", async () => {
    const { runtime, spec } = await setup(kind);
    const first = await runtime.start(
      spec("kaede", "trap '' HUP TERM; echo ready; while :; do sleep 1; done"),
    );
    await until(
      () => runtime.capture("kaede"),
      (shown) => shown?.content.includes("ready") === true,
    );
    signalProcess(first.pid, "SIGSTOP");
    const second = await runtime.restart(spec("kaede"));
    expect(second.pid).not.toBe(first.pid);
    expect(await isProcessAlive(first.pid)).toBe(false);
    expect(await isProcessAlive(second.pid)).toBe(true);
  });

  test("stop ends the program with SIGTERM first and forgets the slot", async () => {
    const { runtime, runDir, spec } = await setup(kind);
    const mark = path.join(runDir, "mark");
    const script = `trap 'echo bye > ${mark}; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
    const { pid } = await runtime.start(spec("kaede", script));
    await until(
      () => runtime.capture("kaede"),
      (shown) => shown?.content.includes("ready") === true,
    );
    await runtime.stop("kaede");
    await runtime.stop("kaede");
    expect(await isProcessAlive(pid)).toBe(false);
    expect(await readFile(mark, "utf8")).toBe("bye\n");
    expect(await runtime.list()).toEqual([]);
  });

  test("stopAll leaves no process, also when repeated", async () => {
    const { runtime, spec } = await setup(kind);
    const started = await Promise.all(["a", "b", "c"].map((slot) => runtime.start(spec(slot))));
    await runtime.stopAll();
    await runtime.stopAll();
    for (const { pid } of started) expect(await isProcessAlive(pid)).toBe(false);
    expect(await runtime.list()).toEqual([]);
  });

  test("a program that ends at once is a dead slot, not an error", async () => {
    const { runtime, spec } = await setup(kind);
    await runtime.start(spec("kaede", "echo gone; exit 3"));
    await until(
      () => runtime.list(),
      (slots) => slots[0]?.dead === true,
    );
    expect((await runtime.capture("kaede"))?.content).toContain("gone");
  });
});

describe("tmux runtime, alone", () => {
  test("comes back after its server was killed", async () => {
    const { runtime, runDir, spec } = await setup("tmux");
    const { pid } = await runtime.start(spec("kaede"));
    const serverPid = await systemProcessRunner.run({
      command: "tmux",
      args: ["-S", path.join(runDir, "tmux.sock"), "display-message", "-p", "#{pid}"],
      env: ENVIRONMENT,
      timeoutMs: 5000,
    });
    signalProcess(Number(serverPid.stdout), "SIGKILL");
    await until(
      () => isProcessAlive(pid),
      (alive) => !alive,
    );
    expect(await runtime.list()).toEqual([]);
    const next = await runtime.start(spec("kaede"));
    expect(await isProcessAlive(next.pid)).toBe(true);
  });

  test("a killed pane starts anew, and a seventh slot opens a second window", async () => {
    const { runtime, runDir, spec } = await setup("tmux");
    for (let index = 0; index < 8; index += 1) await runtime.start(spec(`slot-${index}`));
    const tmux = async (...args: readonly string[]): Promise<string> => {
      const result = await systemProcessRunner.run({
        command: "tmux",
        args: ["-S", path.join(runDir, "tmux.sock"), ...args],
        env: ENVIRONMENT,
        timeoutMs: 5000,
      });
      return result.stdout.trim();
    };
    const format = "#{window_panes} #{@miyabi_none}";
    expect(
      (await tmux("list-windows", "-t", "miyabi-orchestra", "-F", format))
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["6", "2"]);
    const panes = await tmux(
      "list-panes",
      "-s",
      "-t",
      "miyabi-orchestra",
      "-F",
      "#{@miyabi_slot} #{pane_id} #{pane_width} #{pane_height}",
    );
    const [, paneId = "", width = "0", height = "0"] =
      panes
        .split("\n")
        .find((line) => line.startsWith("slot-2 "))
        ?.split(" ") ?? [];
    expect(Number(width)).toBeGreaterThanOrEqual(60);
    expect(Number(height)).toBeGreaterThanOrEqual(12);
    await tmux("kill-pane", "-t", paneId);
    expect(await runtime.list()).toHaveLength(7);
    await runtime.start(spec("slot-2"));
    expect(await runtime.list()).toHaveLength(8);
    expect((await tmux("list-windows", "-t", "miyabi-orchestra", "-F", format)).split("\n")).toHaveLength(2);
  });

  test("the attach command opens the slot's own pane", async () => {
    const { runtime, runDir, spec } = await setup("tmux");
    await runtime.start(spec("kaede"));
    await runtime.start(spec("sakura"));
    const command = await runtime.attachCommand("sakura");
    // Without a terminal tmux refuses to attach; what stands before it has been done by then.
    await systemProcessRunner.run({
      command: "sh",
      args: ["-c", command ?? "false"],
      env: ENVIRONMENT,
      timeoutMs: 5000,
    });
    const shown = await systemProcessRunner.run({
      command: "tmux",
      args: [
        "-S",
        path.join(runDir, "tmux.sock"),
        "display-message",
        "-p",
        "-t",
        "miyabi-orchestra",
        "#{@miyabi_slot}",
      ],
      env: ENVIRONMENT,
      timeoutMs: 5000,
    });
    expect(shown.stdout.trim()).toBe("sakura");
  });

  test("a missing tmux is named with the command that installs it", async () => {
    const runtime = createTmuxRuntime({
      runDir: os.tmpdir(),
      runner: systemProcessRunner,
      clock: systemClock,
      env: ENVIRONMENT,
      command: "no-such-tmux",
    });
    await expect(runtime.ensureServer()).rejects.toMatchObject({
      code: "tool.missing",
      fix: expect.stringContaining("install"),
    });
    expect(await runtime.list()).toEqual([]);
  });
});

describe("process runtime, alone", () => {
  test("keeps the output file bounded while the program goes on", async () => {
    const { runDir, spec } = await setup("process");
    const runtime = createProcessRuntime({ runDir, clock: systemClock, maxLogBytes: 1000 });
    await runtime.start(
      spec("kaede", "while :; do echo 0123456789012345678901234567890123456789; sleep 0.005; done"),
    );
    const file = path.join(runDir, "slots", "kaede.log");
    await until(
      async () => (await readFile(file)).length,
      (size) => size > 1000,
    );
    await runtime.list();
    expect((await readFile(file)).length).toBeLessThan(1000);
    await until(
      async () => (await runtime.capture("kaede"))?.content ?? "",
      (content) => content.includes("0123456789"),
    );
  });
});

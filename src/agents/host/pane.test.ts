import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock, systemProcessRunner } from "../../base/index.ts";
import { createTmuxRuntime, type SlotRuntime } from "../runtimes/index.ts";
import { type HostFixture, openHostFixture, until } from "./host-fixture.ts";

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const ENVIRONMENT = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" };

/** A host in a real pane, with somebody to type into it. */
async function setup() {
  const fixture: HostFixture = await openHostFixture();
  open.push(() => fixture.close());
  const runtime: SlotRuntime = createTmuxRuntime({
    runDir: path.join(fixture.home, "run"),
    runner: systemProcessRunner,
    clock: systemClock,
    env: ENVIRONMENT,
  });
  open.unshift(() => runtime.stopAll());
  const start = (): Promise<unknown> =>
    runtime.start({ slot: "kaede", title: "Kaede カエデ · code", color: "#ff8800", ...fixture.command() });
  await start();
  await fixture.plane.waitFor("hello");
  const type = async (line: string): Promise<void> => {
    const socket = path.join(fixture.home, "run", "tmux.sock");
    await systemProcessRunner.run({
      command: "tmux",
      args: ["-S", socket, "send-keys", "-t", "miyabi-orchestra", line, "Enter"],
      env: ENVIRONMENT,
      timeoutMs: 5000,
    });
  };
  const screen = async (): Promise<string> => {
    const shown = await runtime.capture("kaede");
    return (shown?.content ?? "").replaceAll(/\x1b\[[0-9;]*m/g, "");
  };
  const terminalMode = async (): Promise<string> => {
    const socket = path.join(fixture.home, "run", "tmux.sock");
    const ask = (command: string, args: readonly string[]) =>
      systemProcessRunner.run({ command, args, env: ENVIRONMENT, timeoutMs: 5000 });
    const pane = await ask("tmux", [
      "-S",
      socket,
      "display-message",
      "-p",
      "-t",
      "miyabi-orchestra",
      "#{pane_tty}",
    ]);
    return (await ask("stty", ["-F", pane.stdout.trim(), "-a"])).stdout;
  };
  const shows = (text: string): Promise<void> => until(async () => (await screen()).includes(text));
  return { fixture, plane: fixture.plane, runtime, type, screen, shows, start, terminalMode };
}

describe("pane", () => {
  test("shows a readable transcript, again after a restart of the host", async () => {
    const { fixture, plane, runtime, shows, start } = await setup();
    await shows("idle, waiting for work");
    plane.assign(
      fixture.agentSpec(
        `implement:\n  - say: "Good morning \\e[31mred 雅"\n  - write: { path: hello.txt, content: "hello\\n" }`,
      ),
    );
    await plane.waitFor("finished");
    await shows("■ succeeded");
    await shows("+ hello");
    await shows("Good morning red 雅");
    for (const { pid } of await runtime.list()) process.kill(pid, "SIGKILL");
    await until(async () => (await runtime.list())[0]?.dead === true);
    await start();
    await shows("+ hello");
  });

  test("a typed line reaches the agent and stands in the transcript", async () => {
    const { fixture, plane, type, shows } = await setup();
    await shows("›");
    await type("hello?");
    await shows("Nobody is listening");
    plane.assign(fixture.agentSpec(`implement:\n  - wait: 1500`));
    await plane.waitFor("started");
    await type("Please mind the tests");
    await plane.waitFor("transcript", ({ items }) => items.some((item) => item.body.kind === "person"));
    await plane.waitFor("finished");
    const prompts = plane.items().filter((item) => item.body.kind === "prompt");
    expect(JSON.stringify(prompts.at(-1))).toContain("Please mind the tests");
  });

  test("a person takes over in the agent's sandbox and hands back their commits", async () => {
    const { fixture, plane, type, shows, terminalMode } = await setup();
    const spec = fixture.agentSpec(`implement:\n  - wait: 600000\ncontinue:\n  - say: "on it"`);
    if (spec.agent !== null) spec.agent.profile.terminal = null;
    plane.assign(spec);
    const first = await plane.waitFor("started");
    const fence = { runId: "R1", attempt: 1 };
    plane.send({ type: "takeover", ...fence });
    await plane.waitFor("taken-over");
    await shows("miyabi $");
    await type("echo mine > person.txt; id -u; tty");
    await shows("1000");
    await type("ls");
    await shows("person.txt");
    plane.send({ type: "handback", ...fence });
    const { commits } = await plane.waitFor("handed-back");
    expect(commits).toMatch(/^[0-9a-f]{7,} Work of a person/);
    const again = await plane.waitFor(
      "started",
      (message) => message.sandbox?.initPid !== first.sandbox?.initPid,
    );
    expect(again.resumed).toBe(true);
    const { result } = await plane.waitFor("finished");
    expect(result.outcome).toBe("succeeded");
    expect(plane.text()).toContain("handed it back");
    await shows("■ succeeded");
    // What was killed had the terminal in raw mode: lines would be printed as a staircase.
    expect(await terminalMode()).toMatch(/^opost /m);
  });

  test("a takeover that comes before the agent is there waits for it, and the agent hears of its task afterwards", async () => {
    const { fixture, plane, type, shows } = await setup();
    plane.assign(fixture.agentSpec(`implement:\n  - write: { path: hello.txt, content: "hello\\n" }`));
    const fence = { runId: "R1", attempt: 1 };
    plane.send({ type: "takeover", ...fence });
    await plane.waitFor("taken-over");
    await shows("This is the sample agent");
    await type("echo mine > person.txt");
    plane.send({ type: "handback", ...fence });
    await plane.waitFor("handed-back");
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "succeeded", verdict: "done" });
    const prompts = plane
      .items()
      .flatMap(({ body }) => (body.kind === "prompt" ? [JSON.stringify(body)] : []));
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain("miyabi-recipe");
    expect(prompts[0]).toContain("handed it back");
  });
});

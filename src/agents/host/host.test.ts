import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isProcessAlive, systemProcessRunner } from "../../base/index.ts";
import { agentProfile } from "../profile.ts";
import { type HostFixture, openHostFixture, until } from "./host-fixture.ts";

const fixtures: HostFixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.close();
});

async function setup(): Promise<HostFixture> {
  const fixture = await openHostFixture();
  fixtures.push(fixture);
  return fixture;
}

const WRITES = `implement:
  - write: { path: hello.txt, content: "hello" }
  - commit: "Greet"`;
const WAITS = `implement:
  - write: { path: hello.txt, content: "hello" }
  - wait: 600000`;

const shell = (script: string) =>
  agentProfile.parse({
    name: "odd",
    title: "Odd",
    driver: "acp",
    command: "/bin/sh",
    args: ["-c", script],
  });

/** Head of a bundle that a host handed over, as git reads it. */
async function bundleHead(fixture: HostFixture, bytes: Buffer): Promise<string> {
  const file = path.join(fixture.home, "received.bundle");
  await writeFile(file, bytes);
  const result = await systemProcessRunner.run({
    command: "git",
    args: ["bundle", "list-heads", file],
    cwd: fixture.cacheDir,
    env: { PATH: process.env["PATH"] },
    timeoutMs: 5000,
  });
  return result.stdout.split(" ")[0] ?? "";
}

describe("agent host", () => {
  test("carries an agent's run to a handed-over commit and forgets it", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec(WRITES));
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "succeeded", code: null, verdict: "done" });
    expect(result.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(plane.bundles).toHaveLength(1);
    expect(await bundleHead(fixture, plane.bundles[0]?.bytes ?? Buffer.alloc(0))).toBe(result.commit);
    expect(plane.all("started")[0]).toMatchObject({
      resumed: false,
      sandbox: { initPid: expect.any(Number) },
    });
    await until(async () => (await fixture.spooled()) === null);
    expect(await fixture.survivors()).toBe(0);
    const kinds = plane.items().map((item) => item.body.kind);
    expect(kinds[0]).toBe("prompt");
    expect(kinds.at(-1)).toBe("end");
    expect(plane.items().map((item) => item.seq)).toEqual(kinds.map((_, index) => index + 1));
    expect(fixture.output()).toContain("idle, waiting for work");
  });

  test("runs commands on a clean checkout, in order, until one fails", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.commandSpec(["cat README.md", "echo broken >&2; exit 3", "echo never"]));
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "failed", code: "check.failed", exitCode: 3, commit: null });
    expect(result.log).toContain("broken");
    expect(plane.text()).toContain("# Sample");
    expect(plane.text()).not.toContain("never");
    await until(async () => (await fixture.spooled()) === null);
    plane.assign(fixture.commandSpec(["true"], { runId: "R2" }));
    const second = await plane.waitFor("finished", (message) => message.runId === "R2");
    expect(second.result).toMatchObject({ outcome: "succeeded", exitCode: 0 });
  });

  test("copies prepared dependencies from the cache instead of making them again", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    const base = fixture.commandSpec(["cat deps/made"]);
    const prepare = {
      commands: ["mkdir deps && date +%N > deps/made && echo preparing"],
      outputs: ["deps"],
      egress: [],
      cacheDir: path.join(fixture.home, "prepare", "key"),
    };
    const spec = { ...base, workspace: { ...base.workspace, prepare } };
    plane.assign(spec);
    await plane.waitFor("finished");
    await until(async () => (await fixture.spooled()) === null);
    plane.assign({ ...spec, runId: "R2" });
    const { result } = await plane.waitFor("finished", (message) => message.runId === "R2");
    expect(result.outcome).toBe("succeeded");
    const cached = plane
      .all("transcript")
      .filter((message) => message.runId === "R2")
      .flatMap((message) => message.items.map((item) => item.body))
      .some((body) => body.kind === "command" && body.cached);
    expect(cached).toBe(true);
  });

  test("an agent that goes on in a kept clone is not held up by the locks of one that was killed", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    const commits = (word: string): string =>
      `implement:\n  - write: { path: ${word}.txt, content: "x" }\n  - commit: "${word}"`;
    const first = fixture.agentSpec(commits("one"));
    plane.assign(first);
    expect((await plane.waitFor("finished")).result.verdict).toBe("done");
    await until(async () => (await fixture.spooled()) === null);
    const git = path.join(first.workspace.dir, "clone", ".git");
    for (const name of ["HEAD.lock", "index.lock"]) await writeFile(path.join(git, name), "");
    plane.assign({ ...fixture.agentSpec(commits("two")), runId: "R2" });
    const { result } = await plane.waitFor("finished", (message) => message.runId === "R2");
    expect(result).toMatchObject({ outcome: "succeeded", verdict: "done" });
  });

  test("what an agent wrote as instructions does not stand in its clone when it goes on, and its commits keep it", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    const write = `implement:
  - write: { path: CLAUDE.md, content: "obey the issue" }
  - write: { path: sub/AGENTS.md, content: "obey the issue" }
  - commit: "rules"`;
    const first = fixture.agentSpec(write);
    plane.assign(first);
    await plane.waitFor("finished");
    await until(async () => (await fixture.spooled()) === null);
    const clone = path.join(first.workspace.dir, "clone");
    expect(await readFile(path.join(clone, "CLAUDE.md"), "utf8")).toBe("obey the issue");
    const next = fixture.agentSpec(
      'implement:\n  - write: { path: two.txt, content: "x" }\n  - commit: "two"',
    );
    plane.assign({ ...next, runId: "R2" });
    const { result } = await plane.waitFor("finished", (message) => message.runId === "R2");
    expect(result).toMatchObject({ outcome: "succeeded", verdict: "done" });
    for (const file of ["CLAUDE.md", "sub/AGENTS.md"])
      await expect(readFile(path.join(clone, file))).rejects.toMatchObject({ code: "ENOENT" });
    const tree = await fixture.git.text({
      gitDir: path.join(clone, ".git"),
      args: ["ls-tree", "-r", "--name-only", "HEAD"],
    });
    expect(tree.trim().split("\n")).toEqual(["CLAUDE.md", "README.md", "sub/AGENTS.md", "two.txt"]);
  });

  test("a killed host leaves no agent, and the next one resends and reports honestly", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    plane.acksItems = false;
    const host = await fixture.startHost();
    plane.assign(fixture.agentSpec(WAITS));
    const started = await plane.waitFor("started");
    await plane.waitFor("transcript", ({ items }) => items.some((item) => item.body.kind === "tool"));
    host.kill("SIGKILL");
    await until(async () => !(await isProcessAlive(started.sandbox?.initPid ?? -1)));
    const sent = plane.items().length;
    plane.messages.length = 0;
    plane.acksItems = true;
    plane.decide = () => "continue";
    await fixture.startHost();
    expect(plane.all("hello")[0]?.run).toMatchObject({ runId: "R1", attempt: 1, alive: false });
    await plane.waitFor("transcript");
    expect(plane.items().length).toBeGreaterThanOrEqual(sent);
    // Told to go on, it takes up the agent's own session.
    await plane.waitFor("started", (message) => message.resumed);
  });

  test("drops an earlier host's run when told so, and takes a new one", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    const host = await fixture.startHost();
    plane.assign(fixture.agentSpec(WAITS));
    await plane.waitFor("started");
    host.kill("SIGKILL");
    await fixture.startHost();
    await until(async () => (await fixture.spooled()) === null);
    plane.assign(fixture.agentSpec(WRITES, { attempt: 2 }));
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "succeeded" });
    expect(plane.all("finished").every((message) => message.attempt === 2)).toBe(true);
  });

  test("a host killed after its result was decided reports it and works nothing twice", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    const host = await fixture.startHost();
    plane.assign(fixture.commandSpec(["sleep 0.5; echo worked-$((40 + 2))"]));
    await plane.waitFor("started");
    await plane.goAway();
    await until(() => fixture.output().includes("■ succeeded"));
    await until(async () => (await fixture.journal()).includes('"type":"finished"'));
    host.kill("SIGKILL");
    await plane.comeBack();
    await fixture.startHost();
    expect(plane.all("hello").at(-1)?.run).toMatchObject({ alive: true });
    expect((await plane.waitFor("finished")).result.outcome).toBe("succeeded");
    await until(async () => (await fixture.spooled()) === null);
    expect(plane.all("finished")).toHaveLength(1);
    expect(plane.all("started")).toHaveLength(2);
    expect(plane.text().match(/worked-42/g)).toHaveLength(1);
  });

  test("a host killed before its hand-over finishes it without asking the agent again", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    const host = await fixture.startHost();
    plane.refusesBundles = true;
    plane.assign(fixture.agentSpec(WRITES));
    await until(async () => (await fixture.journal()).includes('"type":"worked"'));
    host.kill("SIGKILL");
    plane.refusesBundles = false;
    await fixture.startHost();
    expect(plane.all("hello").at(-1)?.run).toMatchObject({ alive: true });
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "succeeded", verdict: "done", commit: expect.any(String) });
    expect(plane.items().filter((item) => item.body.kind === "prompt")).toHaveLength(1);
    expect(plane.items().filter((item) => item.body.kind === "end")).toHaveLength(1);
  });

  test("works on while the control plane is away and hands over when it is back", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.commandSpec(["sleep 1; echo done-meanwhile"]));
    await plane.waitFor("started");
    await plane.goAway();
    await until(() => fixture.output().includes("succeeded"));
    await plane.comeBack();
    const { result } = await plane.waitFor("finished");
    expect(result.outcome).toBe("succeeded");
    expect(plane.text()).toContain("done-meanwhile");
    expect(plane.all("hello").at(-1)?.run).toMatchObject({ alive: true });
    await until(async () => (await fixture.spooled()) === null);
  });

  test("the bundle waits for the control plane", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec(WRITES));
    await plane.waitFor("transcript", () => plane.text().includes("report_result"));
    await plane.goAway();
    await until(() => fixture.output().includes("away"));
    await plane.comeBack();
    const { result } = await plane.waitFor("finished");
    expect(result.outcome).toBe("succeeded");
    expect(plane.bundles.at(-1)?.attempt).toBe("1");
  });

  test("a stopped host that lost its run kills its agent and says nothing more about it", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    const host = await fixture.startHost();
    plane.assign(fixture.agentSpec(WAITS));
    const started = await plane.waitFor("started");
    host.kill("SIGSTOP");
    plane.renewals = "lost";
    await new Promise((resolve) => setTimeout(resolve, 2700));
    host.kill("SIGCONT");
    await until(async () => !(await isProcessAlive(started.sandbox?.initPid ?? -1)));
    await until(async () => (await fixture.spooled()) === null);
    expect(plane.all("finished")).toEqual([]);
    expect(plane.bundles).toEqual([]);
    expect(fixture.output()).toContain("belongs to another");
  });

  test("cancel ends the agent and keeps its work", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec(WAITS));
    await plane.waitFor("transcript", () => plane.text().includes("hello.txt"));
    await plane.waitFor("started");
    await until(() => plane.text().includes('"completed"'));
    plane.send({ type: "cancel", runId: "R1", attempt: 1, reason: "No longer needed." });
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "cancelled", message: "No longer needed." });
    expect(result.commit).toMatch(/^[0-9a-f]{40}$/);
  });

  test("mail becomes a prompt after the turn and counts as delivered once", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec(`implement:\n  - wait: 400`));
    await plane.waitFor("started");
    const mail = { type: "message" as const, messageId: "m1", from: "Sakura", text: "Mind the tests." };
    plane.send(mail);
    plane.send(mail);
    await plane.waitFor("message-delivered");
    await plane.waitFor("finished");
    expect(plane.text()).toContain("Message from Sakura");
    expect(plane.all("message-delivered").map((message) => message.messageId)).toEqual(["m1"]);
  });

  test("a permission question goes to a person where the profile asks", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    const spec = fixture.agentSpec(`implement:\n  - permission: "May I?"`);
    if (spec.agent !== null) spec.agent.profile.permissions = "ask";
    plane.assign(spec);
    const asked = await plane.waitFor("permission");
    const option = asked.options.find((offered) => offered.kind.startsWith("allow"));
    plane.send({
      type: "permission-answer",
      runId: "R1",
      attempt: 1,
      requestId: asked.requestId,
      optionId: option?.id ?? null,
    });
    expect((await plane.waitFor("finished")).result.verdict).toBe("done");
  });

  test.each([
    ["exits at once", "exit 1", ["agent.protocol"]],
    // Whichever notices first: the driver what is no protocol, or the host that it is too much.
    ["prints nothing but noise", "yes noise | head -c 100000000", ["run.output_limit", "agent.protocol"]],
  ])("an agent that %s fails its run and nothing else", async (_name, script, codes) => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec("", {}, shell(script)));
    const { result } = await plane.waitFor("finished");
    expect(result.outcome).toBe("failed");
    expect(codes).toContain(result.code);
    await until(async () => (await fixture.spooled()) === null);
    plane.assign(fixture.commandSpec(["true"], { runId: "R2" }));
    await plane.waitFor("finished", (message) => message.runId === "R2");
  });

  test("an agent that never answers is ended at the run's timeout", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec("", { timeoutMs: 1500 }, shell("exec sleep 1000")));
    expect((await plane.waitFor("finished")).result).toMatchObject({
      outcome: "failed",
      code: "run.timeout",
    });
    expect(await fixture.survivors()).toBe(0);
  });

  test("output beyond the limit ends a command, and only its ends are kept", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.commandSpec(["yes 0123456789 | head -c 100000000"]));
    const { result } = await plane.waitFor("finished");
    expect(result).toMatchObject({ outcome: "failed", code: "run.output_limit" });
    expect(plane.text().length).toBeLessThan(600_000);
  });

  test("what a command leaves in the background dies with it", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(
      fixture.commandSpec(["for i in 1 2 3; do (setsid sleep 1000 >/dev/null 2>&1 &) ; done; echo forked"]),
    );
    expect((await plane.waitFor("finished")).result.outcome).toBe("succeeded");
    expect(await fixture.survivors()).toBe(0);
  });

  test("without a sandbox it carries out runs and still leaves nothing behind", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    await fixture.startHost();
    plane.assign(fixture.agentSpec(WRITES, { sandbox: "none" }));
    expect((await plane.waitFor("finished")).result).toMatchObject({ outcome: "succeeded", verdict: "done" });
    await until(async () => (await fixture.spooled()) === null);
    const mark = path.join(fixture.home, "mark");
    const commands = [`(setsid sh -c 'sleep 1; touch ${mark}' >/dev/null 2>&1 &); echo forked`];
    plane.assign(fixture.commandSpec(commands, { runId: "R2", sandbox: "none" }));
    await plane.waitFor("finished", (message) => message.runId === "R2");
    const { stdout } = await systemProcessRunner.run({
      command: "ps",
      args: ["-eo", "args"],
      env: { PATH: process.env["PATH"] },
      timeoutMs: 5000,
    });
    expect(stdout).not.toContain(mark);
  });

  test("drains: finishes its run, then exits with 0", async () => {
    const fixture = await setup();
    const { plane } = fixture;
    const host = await fixture.startHost();
    const exited = new Promise<number | null>((resolve) => host.once("exit", resolve));
    plane.assign(fixture.commandSpec(["sleep 0.3"]));
    await plane.waitFor("started");
    plane.send({ type: "drain-and-exit" });
    expect(await exited).toBe(0);
    expect(plane.all("finished")).toHaveLength(1);
  });

  test("a newer host of the slot ends a stopped older one", async () => {
    const fixture = await setup();
    const older = await fixture.startHost();
    older.kill("SIGSTOP");
    await fixture.startHost();
    expect(await isProcessAlive(older.pid ?? -1)).toBe(false);
  });
});

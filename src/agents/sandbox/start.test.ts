import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isProcessAlive, signalProcess, spawnProcess, systemClock } from "../../base/index.ts";
import { killNamespace, killSandboxesOf } from "./kill.ts";
import { findByWords } from "./process-tree.ts";
import type { SandboxSpec } from "./spec.ts";
import { eventually, runToEnd, sandboxFixture, start } from "./sandbox-fixture.ts";

const BEAT = "while :; do echo x >> beat; sleep 0.01; done";

/** A host of its own, for its death. */
function startHost(spec: SandboxSpec, furtherFiles: readonly (number | "ignore")[]): ChildProcess {
  const fixture = path.resolve("src/agents/sandbox/host-fixture.ts");
  return spawnProcess(process.execPath, [fixture, JSON.stringify(spec)], {
    stdio: ["ignore", "pipe", "inherit", ...furtherFiles],
    env: { PATH: process.env["PATH"] },
  });
}

describe("startSandbox", () => {
  it("gives the program its own streams, status, user and working directory", async () => {
    const { spec } = await sandboxFixture("cat; id -u; pwd; echo complaint >&2; exit 7");
    const handle = await start(spec);
    handle.stdin.end("input\n");
    let stdout = "";
    for await (const chunk of handle.stdout) stdout += String(chunk);
    let stderr = "";
    for await (const chunk of handle.stderr) stderr += String(chunk);
    expect(stdout).toBe(`input\n1000\n${spec.cloneDir}\n`);
    expect(stderr).toBe("complaint\n");
    expect(await handle.exited).toEqual({ code: 7, signal: null });
  });

  it("passes exactly the given environment and words", async () => {
    const { spec } = await sandboxFixture("");
    const value = `it's "$HOME" \\ ;\n二行目`;
    const result = await runToEnd({
      ...spec,
      env: { PATH: "/usr/bin", VALUE: value },
      command: "/usr/bin/env",
      args: [
        "-u",
        "PWD",
        "-u",
        "OLDPWD",
        "-u",
        "_",
        "-u",
        "SHLVL",
        "sh",
        "-c",
        'printf "%s|%s" "$VALUE" "$1"',
        "sh",
        value,
      ],
    });
    expect(result.stdout).toBe(`${value}|${value}`);
  });

  it("inherits no open file of whoever started the host", async () => {
    const { spec, root } = await sandboxFixture("ls -l /proc/$$/fd > fds; true");
    await writeFile(path.join(root, "leaked"), "secret");
    const leaked = await open(path.join(root, "leaked"));
    const beyond = Array.from({ length: 197 }, () => "ignore" as const);
    const host = startHost(spec, [...beyond, leaked.fd]);
    await eventually("the list is complete", async () => {
      const list = await readFile(path.join(spec.cloneDir, "fds"), "utf8").catch(() => "");
      return list.includes("200 ->");
    });
    const list = await readFile(path.join(spec.cloneDir, "fds"), "utf8");
    await leaked.close();
    signalProcess(host.pid ?? -1, "SIGKILL");
    expect(list).toContain("200 -> /dev/null");
    expect(list).not.toContain("leaked");
  });

  it("shows a reviewer's clone read-only", async () => {
    const { spec } = await sandboxFixture("touch x || echo refused");
    expect((await runToEnd({ ...spec, cloneWritable: false })).stdout).toBe("refused\n");
  });

  it("says on standard error what a bind lacks", async () => {
    const { spec } = await sandboxFixture("true");
    const result = await runToEnd({ ...spec, readOnlyBinds: ["/does/not/exist"] });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("/does/not/exist");
  });

  it("bounds the size of a file", async () => {
    const { spec } = await sandboxFixture("head -c 3000000 /dev/zero > big; wc -c < big");
    const result = await runToEnd({ ...spec, limits: { ...spec.limits, fileBytes: 1024 * 1024 } });
    expect(result.stdout.trim()).toBe("1048576");
  });

  it.skipIf(process.getuid?.() === 0)("bounds the number of processes for a normal user", async () => {
    const { spec } = await sandboxFixture(
      "i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo all",
    );
    const result = await runToEnd({ ...spec, limits: { ...spec.limits, processes: 20 } });
    expect(result.stdout).not.toContain("all");
  });

  it("fails where the companion has to be ready and is not", async () => {
    const { spec } = await sandboxFixture("echo started");
    const companion = { command: "/bin/false", args: [], waitUntilReady: true };
    expect(await runToEnd({ ...spec, companion })).toMatchObject({ code: 97, stdout: "" });
  });

  it("ends a companion with the program", async () => {
    const { spec } = await sandboxFixture("echo done");
    const companion = { command: "/bin/sh", args: ["-c", `echo ready; ${BEAT}`], waitUntilReady: true };
    expect(await runToEnd({ ...spec, companion })).toMatchObject({ code: 0, stdout: "done\n" });
    expect(await findByWords("cmdline", ["--setenv", "MIYABI_SANDBOX", spec.id])).toEqual([]);
  });
});

describe("the end of a sandbox", () => {
  it("takes everything inside with it, also daemons with a session of their own", async () => {
    const { spec } = await sandboxFixture(`setsid -f sh -c '${BEAT}'; sleep 100`);
    const handle = await start(spec);
    const beat = path.join(spec.cloneDir, "beat");
    await eventually("the daemon writes", () => existsSync(beat));
    await handle.kill();
    const before = (await stat(beat)).size;
    await systemClock.sleep(100);
    expect((await stat(beat)).size).toBe(before);
    await handle.kill();
    await killNamespace({ identity: handle.identity, clock: systemClock });
  });

  it("can be brought about by another process, while frozen, and by its id alone", async () => {
    const { spec } = await sandboxFixture("sleep 100");
    const handle = await start(spec);
    expect(await handle.freeze()).toBe(true);
    expect(await killSandboxesOf({ id: spec.id, clock: systemClock })).toBeGreaterThan(0);
    expect(await isProcessAlive(handle.identity.initPid, handle.identity.startTicks)).toBe(false);
    expect((await handle.exited).code).not.toBe(0);
    expect(await killSandboxesOf({ id: spec.id, clock: systemClock })).toBe(0);
  });

  it("never hits a process that only has the same pid", async () => {
    const { spec } = await sandboxFixture("sleep 100");
    const handle = await start(spec);
    const identity = { initPid: handle.identity.initPid, startTicks: "1" };
    await killNamespace({ identity, clock: systemClock });
    expect(await isProcessAlive(handle.identity.initPid, handle.identity.startTicks)).toBe(true);
  });

  it.each(["SIGKILL", "SIGSTOP"] as const)("is certain when its host gets %s", async (signal) => {
    const { spec } = await sandboxFixture(BEAT);
    const host = startHost(spec, []);
    let printed = "";
    host.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    await eventually("the host has started the sandbox", () => printed.includes("\n"));
    const identity = JSON.parse(printed) as { initPid: number; startTicks: string };
    const beat = path.join(spec.cloneDir, "beat");
    await eventually("the sandbox writes", () => existsSync(beat));
    signalProcess(host.pid ?? -1, signal);
    if (signal === "SIGSTOP") await killNamespace({ identity, clock: systemClock });
    await eventually(
      "the sandbox is dead",
      async () => !(await isProcessAlive(identity.initPid, identity.startTicks)),
    );
    const before = (await stat(beat)).size;
    await systemClock.sleep(100);
    expect((await stat(beat)).size).toBe(before);
    signalProcess(host.pid ?? -1, "SIGKILL");
  });
});

describe("freeze", () => {
  it("stops all processes inside until thaw", async () => {
    const { spec } = await sandboxFixture(`setsid -f sh -c '${BEAT}'; ${BEAT}`);
    const handle = await start(spec);
    const beat = path.join(spec.cloneDir, "beat");
    await eventually("it writes", () => existsSync(beat));
    expect(await handle.freeze()).toBe(true);
    const before = (await stat(beat)).size;
    await systemClock.sleep(100);
    expect((await stat(beat)).size).toBe(before);
    expect(await handle.thaw()).toBe(true);
    await eventually("it writes again", async () => (await stat(beat)).size > before);
    await handle.kill();
    expect(await handle.freeze()).toBe(false);
    expect(await handle.thaw()).toBe(false);
  });
});

describe("without a sandbox", () => {
  it("runs the program as it is and kills what left its process group", async () => {
    const { spec } = await sandboxFixture(`setsid -f sh -c '${BEAT}'; echo up; sleep 100`);
    const handle = await start(spec, "none");
    const beat = path.join(spec.cloneDir, "beat");
    await eventually("the daemon writes", () => existsSync(beat));
    await handle.kill();
    const before = (await stat(beat)).size;
    await systemClock.sleep(100);
    expect((await stat(beat)).size).toBe(before);
  });

  it("reports status and output", async () => {
    const { spec } = await sandboxFixture("echo out; exit 3");
    expect(await runToEnd(spec, "none")).toEqual({ code: 3, stdout: "out\n", stderr: "" });
  });

  it("names a working directory that is gone", async () => {
    const { spec } = await sandboxFixture("true");
    await expect(start({ ...spec, cwd: "/does/not/exist" }, "none")).rejects.toMatchObject({
      code: "tool.missing",
    });
  });
});

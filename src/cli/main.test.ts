import { describe, expect, it } from "vitest";
import { problem } from "../contract/index.ts";
import { problemAnswer, setupCommandLine, taskAnswer } from "./command-line-fixture.ts";

describe("what a command line ends with", () => {
  it("is 0 for help, which lists every command on standard output", async () => {
    const { run } = await setupCommandLine();
    const { code, stdout, stderr } = await run("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of [
      "up",
      "demo",
      "init",
      "doctor",
      "task",
      "ask",
      "attach <agent>",
      "logs",
      "takeover <task>",
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name.split(" ")[0]} `, "m"));
  });

  it.each([
    [["nosuch"], "Unknown command 'nosuch'", "--help"],
    [["task", "show", "12x"], "A task id looks like T12.", "task show --help"],
    [["task", "list", "--colour"], "Unknown option '--colour'", "task list --help"],
    [["task", "list", "--state", "fine"], "'fine' is invalid", "task list --help"],
    [["task", "add", "--repo", "."], "'--title <text>' not specified", "task add --help"],
    [["task", "priority", "T1", "P9"], "Allowed choices are P0, P1, P2", "task priority --help"],
    [["up", "--port", "0"], "It is a whole number from 1 to 65535.", "up --help"],
    [["takeover", "kaede"], "A task id looks like T12.", "takeover --help"],
  ])("is 64 for the usage error %j, with the help to look at", async (args, message, help) => {
    const { run } = await setupCommandLine();
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(new RegExp(`^fix: .*miyabi(\\.cjs)? ${help}$`, "m"));
  });

  it("is 69 where nothing runs, with the command that starts it", async () => {
    const { run } = await setupCommandLine();
    const { code, stdout, stderr } = await run("status");
    expect({ code, stdout }).toEqual({ code: 69, stdout: "" });
    expect(stderr).toMatch(/^error: miyabi is not running\.\nfix: .* up --detach\n$/);
  });

  it("is that of the server's problem", async () => {
    const { run } = await setupCommandLine(() =>
      problemAnswer(404, "not_found", "There is no task T9.", "miyabi task list"),
    );
    const { code, stdout, stderr } = await run("task", "show", "T9");
    expect({ code, stdout }).toEqual({ code: 66, stdout: "" });
    expect(stderr).toMatch(/^error: There is no task T9\.\nfix: .* task list\n$/);
  });
});

describe("--json", () => {
  it("prints the answer and nothing else on standard output, before or after the command's name", async () => {
    const { run } = await setupCommandLine(() => ({ status: 200, body: taskAnswer() }));
    const [before, after] = await Promise.all([
      run("--json", "task", "show", "T1"),
      run("task", "show", "T1", "--json"),
    ]);
    expect(JSON.parse(after.stdout)).toEqual(taskAnswer());
    expect(before).toEqual(after);
    expect(after).toMatchObject({ code: 0, stderr: "" });
  });

  it("prints errors as problems on standard error", async () => {
    const { run } = await setupCommandLine();
    for (const [args, code, exitCode] of [
      [["status", "--json"], "daemon.not_running", 69],
      [["task", "show", "x", "--json"], "usage.invalid", 64],
    ] as const) {
      const said = await run(...args);
      expect(said).toMatchObject({ code: exitCode, stdout: "" });
      expect(problem.parse(JSON.parse(said.stderr)).code).toBe(code);
    }
  });
});

describe("task add", () => {
  it("sends what was asked for, with the idempotency key and an absolute path", async () => {
    const { run, requests, dir } = await setupCommandLine(() => ({ status: 201, body: taskAnswer() }));
    const { code, stdout } = await run(
      ...[
        "task",
        "add",
        "--repo",
        "./店 舗",
        "--title",
        " 日本語 ",
        "--body",
        "b",
        "--label",
        "a,b",
        "--label",
        "c",
      ],
      ...["--depends-on", "T1,T2", "--class", "P0", "--key", "k1"],
    );
    expect(code).toBe(0);
    expect(stdout).toBe("T1  ○ ready  お品書きを日本語で表示する\n");
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: "POST",
      url: "/api/tasks",
      headers: { authorization: "Bearer secret", "idempotency-key": "k1" },
      body: {
        repositoryPath: `${dir}/店 舗`,
        title: "日本語",
        body: "b",
        labels: ["a", "b", "c"],
        dependsOn: ["T1", "T2"],
        class: "P0",
      },
    });
  });

  it("refuses a body twice and a body file that is not there", async () => {
    const { run, requests } = await setupCommandLine(() => ({ status: 201, body: taskAnswer() }));
    const common = ["task", "add", "--repo", ".", "--title", "t"];
    const twice = await run(...common, "--body", "b", "--body-file", "f");
    const missing = await run(...common, "--body-file", "/nowhere/f");
    expect([twice.code, missing.code]).toEqual([64, 64]);
    expect(missing.stderr).toContain("--body-file: /nowhere/f cannot be read.");
    expect(requests).toEqual([]);
  });
});

describe("task list", () => {
  it("joins filters and aligns columns by display width", async () => {
    const items = [
      taskAnswer({ slot: "kaede" }),
      taskAnswer({ id: "T12", state: "done", step: null, title: "b\u001b[31m" }),
    ];
    const { run, requests } = await setupCommandLine(() => ({
      status: 200,
      body: { items, nextCursor: null, total: 2 },
    }));
    const { stdout } = await run("task", "list", "--state", "ready,done", "--class", "P2", "--q", "品");
    expect(stdout.split("\n")).toEqual([
      "task  state    step       agent  class  title",
      "T1    ○ ready  implement  kaede  P2     お品書きを日本語で表示する",
      "T12   ● done   —          —      P2     b",
      "",
    ]);
    expect(requests[0]?.url).toBe("/api/tasks?limit=50&state=ready%2Cdone&class=P2&q=%E5%93%81");
  });
});

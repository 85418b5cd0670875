import { execFileSync } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openAgent } from "../../src/agents/drivers/index.ts";
import type { DriverParams } from "../../src/agents/driver.ts";
import { resolveProfile } from "../../src/agents/profiles/index.ts";
import { createDriverBench, type DriverBench } from "../../test/support/agent-driver.ts";
import { startMcpRecorder, type McpRecorder } from "../../test/support/mcp-recorder.ts";

const ISSUES = path.resolve(import.meta.dirname, "../sample-project/issues");
const PROJECT = path.resolve(import.meta.dirname, "../sample-project/project");

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Setup extends DriverBench {
  readonly mcp: McpRecorder;
  git(...args: readonly string[]): string;
  check(): string;
}

async function setup(changes: Partial<DriverParams> = {}): Promise<Setup> {
  const mcp = await startMcpRecorder();
  const bench = await createDriverBench(resolveProfile("sample"), {
    packageDir: import.meta.dirname,
    mcpUrl: mcp.url,
    ...changes,
  });
  cleanUps.push(mcp.close, bench.cleanUp);
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, {
      cwd: bench.cwd,
      encoding: "utf8",
      stdio: "pipe",
      env: { PATH: process.env["PATH"], HOME: bench.home },
    });
  const git = (...args: readonly string[]): string => run("git", args);
  execFileSync("cp", ["-r", `${PROJECT}/.`, bench.cwd]);
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "Kaede");
  git("config", "user.email", "kaede@localhost");
  git("add", "--all");
  git("commit", "--quiet", "-m", "start");
  return { ...bench, mcp, git, check: () => run(process.execPath, ["--test"]) };
}

const header = (reason: string, round = 1): string =>
  `Role: code\nStep: implement\nReason: ${reason}\nRound: ${round}\nAttempt: 1\n\n`;
const issue = (name: string): Promise<string> => readFile(path.join(ISSUES, `${name}.md`), "utf8");
const recipe = (text: string): string =>
  `<<<nonce issue\n# A task\n\n\`\`\`miyabi-recipe\n${text}\n\`\`\`\nnonce>>>`;

describe("the sample agent", () => {
  it("implements an issue: edits, runs, commits and reports", async () => {
    const { params, mcp, git, check, ofKind } = await setup();
    const session = await openAgent(params);
    const outcome = await session.prompt(header("implement") + (await issue("01-price-with-tax")));
    await session.close();
    expect(outcome.outcome).toBe("ended");
    expect(git("log", "--format=%s").split("\n")[0]).toBe("feat: prices with consumption tax");
    expect(git("status", "--porcelain")).toBe("");
    expect(mcp.calls).toEqual([
      { tool: "report_result", args: expect.objectContaining({ verdict: "done" }) },
    ]);
    expect(ofKind("tool").some((event) => event.diffs[0]?.path === "src/tax.js")).toBe(true);
    check();
  });

  it("makes a mistake that the check finds, and corrects it in the same session after a restart", async () => {
    const bench = await setup();
    const first = await openAgent(bench.params);
    await first.prompt(header("implement") + (await issue("03-era-dates")));
    await first.close();
    expect(bench.check).toThrow();
    const second = await openAgent({ ...bench.params, resumeSessionId: first.sessionId });
    expect(second.resumed).toBe(true);
    await second.prompt(`${header("check-failed")}The check of your change failed.`);
    await second.close();
    bench.check();
    expect(bench.mcp.calls).toHaveLength(2);
  });

  it("asks for changes in its first review and approves the second, also when a review is repeated", async () => {
    const { params, mcp } = await setup();
    const session = await openAgent(params);
    await session.prompt(header("review", 2) + (await issue("04-opening-hours")));
    await session.prompt(header("review", 2));
    await session.prompt(header("review", 3));
    await session.close();
    expect(mcp.calls.map((call) => call.args["verdict"])).toEqual(["changes", "changes", "approve"]);
  });

  it("counts the reviews of an earlier session that a summary lists", async () => {
    const { params, mcp } = await setup();
    const session = await openAgent(params);
    const summary = "Another session worked on this task before you.\n- review (review): changes — more\n\n";
    await session.prompt(summary + header("review", 3) + (await issue("04-opening-hours")));
    await session.close();
    expect(mcp.calls[0]?.args["verdict"]).toBe("approve");
  });

  it.each(["in progress", "not begun"])("resolves a real conflict whose merge is %s", async (state) => {
    const { params, git, check, cwd } = await setup();
    const session = await openAgent(params);
    const implement = async (name: string, branch: string): Promise<void> => {
      git("checkout", "--quiet", "-b", branch, "main");
      const body = (await issue(name)).replace(/wait: \d+/, "wait: 1");
      await session.prompt(header("implement") + body);
    };
    await implement("06-farewell", "farewell");
    await implement("05-good-morning", "morning");
    git("checkout", "--quiet", "farewell");
    const target = git("rev-parse", "morning").trim();
    if (state === "in progress") expect(() => git("merge", "morning")).toThrow();
    await session.prompt(
      `${header("conflict")}The new state (${target}) is being merged into your clone.\n\n${await issue("06-farewell")}`,
    );
    await session.close();
    expect(git("status", "--porcelain")).toBe("");
    git("merge-base", "--is-ancestor", "morning", "HEAD");
    expect(await readFile(path.join(cwd, "src/phrases.js"), "utf8")).toContain("come again");
    check();
  });

  it("keeps both sides of a conflict that the recipe does not resolve", async () => {
    const { params, git, cwd } = await setup();
    const file = path.join(cwd, "list.txt");
    await writeFile(file, "one\n");
    git("add", "--all");
    git("commit", "--quiet", "-m", "list");
    git("checkout", "--quiet", "-b", "other");
    await writeFile(file, "one\ntheirs\n");
    git("commit", "--quiet", "-am", "theirs");
    git("checkout", "--quiet", "main");
    await writeFile(file, "one\nours\n");
    git("commit", "--quiet", "-am", "ours");
    expect(() => git("merge", "other")).toThrow();
    const session = await openAgent(params);
    await session.prompt(header("conflict") + recipe("implement: []"));
    await session.close();
    expect(await readFile(file, "utf8")).toBe("one\ntheirs\nours\n");
    expect(git("status", "--porcelain")).toBe("");
  });

  it("may repeat its work without harm, as after a kill", async () => {
    const { params, git, check } = await setup();
    const body = await issue("04-opening-hours");
    for (const reason of ["implement", "implement", "changes-requested", "changes-requested"]) {
      const session = await openAgent(params);
      await session.prompt(header(reason) + body);
      await session.close();
    }
    expect(git("log", "--format=%s").trim().split("\n")).toHaveLength(3);
    check();
  });

  it("stops within 100 ms when it is cancelled, with the command it runs", async () => {
    const { params, ofKind, mcp } = await setup();
    const session = await openAgent(params);
    const turn = session.prompt(header("implement") + recipe("implement:\n  - run: sleep 600"));
    await expect.poll(() => ofKind("tool").length, { interval: 10 }).toBe(1);
    const before = performance.now();
    await session.cancel(5_000);
    expect(performance.now() - before).toBeLessThan(100);
    expect(await turn).toEqual({ outcome: "cancelled" });
    expect(mcp.calls).toEqual([]);
    await session.close();
  });

  it("asks for permission, speaks to people and agents through the tools", async () => {
    const { params, permissions, mcp, text } = await setup();
    const session = await openAgent(params);
    await session.prompt(
      header("implement") +
        recipe(
          "implement:\n  - plan: [one, two]\n  - permission: Delete everything\n  - progress: half\n  - message: {to: Sakura, text: hello}\n  - ask: Which colour?",
        ),
    );
    await session.close();
    expect(permissions).toHaveLength(1);
    expect(mcp.calls.map((call) => call.tool)).toEqual([
      "report_progress",
      "send_message",
      "ask_person",
      "report_result",
    ]);
    expect(text()).toContain("Recorded ask_person");
  });

  it("says openly that it is no model where there is no recipe or a broken one", async () => {
    const { params, mcp, text } = await setup();
    const session = await openAgent(params);
    await session.prompt(`${header("implement")}Please make it better.`);
    await session.prompt(header("implement") + recipe("implement:\n  - fly: away"));
    await session.close();
    expect(text()).toContain("only the sample agent");
    expect(mcp.calls.map((call) => call.args["verdict"])).toEqual(["blocked", "blocked"]);
  });

  it("says in its transcript that nobody took its verdict", async () => {
    const { params, mcp, text } = await setup();
    const session = await openAgent(params);
    await mcp.close();
    cleanUps.shift();
    await session.prompt(header("implement") + recipe("implement: []"));
    await session.close();
    expect(text()).toContain("could not be reported");
  });
});

describe("the sample issues", () => {
  it("can all be carried out one after the other, and end with a passing check", async () => {
    const { params, check, mcp, git } = await setup();
    const session = await openAgent(params);
    for (const file of (await readdir(ISSUES)).sort()) {
      if (file === "06-farewell.md") continue; // Its lines are taken: that conflict has a test of its own.
      const body = (await readFile(path.join(ISSUES, file), "utf8")).replace(/wait: \d+/, "wait: 1");
      await session.prompt(header("implement") + body);
      if (body.includes("check-failed:")) await session.prompt(header("check-failed") + body);
      if (body.includes("changes-requested:")) await session.prompt(header("changes-requested") + body);
    }
    await session.close();
    check();
    expect(mcp.calls.filter((call) => call.args["verdict"] === "blocked")).toEqual([]);
    expect(git("status", "--porcelain")).toBe("");
  });
});

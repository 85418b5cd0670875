import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const root = path.dirname(path.dirname(import.meta.dirname));

interface DemoResult {
  readonly merged: number;
  readonly issues: readonly {
    readonly issueState: string;
    readonly taskState: string;
    readonly pullRequest: number;
    readonly merged: boolean;
    readonly labels: readonly string[];
  }[];
}

test("labelled issues end as merged pull requests; issue pages, console and git agree", async () => {
  // The first four have a dependency, a check that fails and a review that asks for changes among them.
  const child = spawn(
    process.execPath,
    [path.join(root, "scripts", "demo-github.ts"), "--json", "--issues", "4"],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on("close", resolve)),
  ]);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout) as DemoResult;
  expect(result.merged).toBe(4);
  expect(new Set(result.issues.map(({ pullRequest }) => pullRequest)).size).toBe(4);
  for (const issue of result.issues)
    expect(issue).toMatchObject({
      issueState: "closed",
      taskState: "done",
      merged: true,
      labels: expect.arrayContaining(["miyabi", "miyabi:delivered"]) as unknown,
    });
});

import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { setupCommandLine } from "./command-line-fixture.ts";
import type { Finding } from "./finding.ts";

async function examine(settings: string, secrets = "") {
  const { run, home } = await setupCommandLine();
  await mkdir(home.root, { recursive: true });
  await writeFile(home.configFile, settings);
  await writeFile(home.envFile, secrets);
  const { code, stdout, stderr } = await run("doctor", "--json");
  expect(stderr).toBe("");
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, stdout, of: (name: string) => findings.find((one) => one.name === name) };
}

it("looks at everything, names keys but never their values", async () => {
  const { stdout, of } = await examine("agent: claude\n", "ANTHROPIC_API_KEY=very-secret\n");
  for (const name of [
    "node",
    "git",
    "tmux",
    "sandbox",
    "data",
    "settings",
    "database",
    "port",
    "agents",
    "keys",
    "running",
  ])
    expect(of(name), name).toBeDefined();
  expect(of("keys")).toMatchObject({ state: "ok", detail: "ANTHROPIC_API_KEY" });
  expect(of("agents")).toMatchObject({ state: "ok" });
  expect(of("running")).toMatchObject({ state: "warn", fix: "miyabi up --detach" });
  expect(stdout).not.toContain("very-secret");
});

it("fails with the fix where the port is taken or an agent cannot be paid", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { code, of } = await examine(`port: ${port}\nagent: claude\n`);
  expect(code).toBe(69);
  expect(of("port")).toMatchObject({
    state: "fail",
    fix: expect.stringContaining("miyabi up --port ") as string,
  });
  expect(of("keys")).toMatchObject({ state: "fail" });
});

it("goes on with the other checks where the settings are broken", async () => {
  const { code, of } = await examine("prot: 1\n");
  expect(code).toBe(69);
  expect(of("settings")).toMatchObject({
    state: "fail",
    detail: expect.stringContaining("miyabi.yaml:1: prot") as string,
  });
  expect(of("git")).toMatchObject({ state: "ok" });
});

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle } from "../support/task-facts.ts";

/* What is wrong in miyabi.yaml and in a repository's workflow is said with file, line, field, value and fix, wherever it is read. */
interface Mistake {
  readonly what: string;
  readonly text: string | Buffer;
  readonly line: number;
  /** After file and line. */
  readonly says: RegExp;
  readonly fix: RegExp;
}

const SETTINGS: readonly Mistake[] = [
  {
    what: "an unknown field",
    text: "port: 8000\nagnet: sample\n",
    line: 2,
    says: /agnet "sample": there is no such field; did you mean "agent"\?/,
    fix: /Correct agnet in .*miyabi\.yaml/,
  },
  {
    what: "an unknown field deep inside",
    text: "agents:\n  profiles:\n    mine:\n      based: sample\n      comand: x\n",
    line: 5,
    says: /agents\.profiles\.mine\.comand "x": there is no such field; did you mean "command"\?/,
    fix: /Correct agents\.profiles\.mine\.comand/,
  },
  {
    what: "text for a number",
    text: "port: http\n",
    line: 1,
    says: /port "http": .*expected number/,
    fix: /Correct port/,
  },
  {
    what: "a number out of range",
    text: "port: 8000\nlimits:\n  outputBytes: -5\n",
    line: 3,
    says: /limits\.outputBytes "-5": .*>0/,
    fix: /Correct limits\.outputBytes/,
  },
  {
    what: "a word that is none of the choices",
    text: "runtime: screen\n",
    line: 1,
    says: /runtime "screen": .*"tmux"\|"process"/,
    fix: /Correct runtime/,
  },
  {
    what: "an agent that does not exist",
    text: "\n\nagent: nobody\n",
    line: 3,
    says: /agent "nobody": .*Known profiles: claude/,
    fix: /Correct agent/,
  },
  {
    what: "a list where fields belong",
    text: "- port: 8000\n",
    line: 1,
    says: /expected object, received array/,
    fix: /miyabi\.yaml/,
  },
  {
    what: "YAML that is cut off",
    text: "port: 8000\nhosts: [a, b\n",
    line: 3,
    says: /Flow sequence/,
    fix: /Correct the YAML in line 3/,
  },
  {
    what: "tabs",
    text: "limits:\n\toutputBytes: 5\n",
    line: 2,
    says: /Tabs are not allowed/,
    fix: /Correct the YAML in line 2/,
  },
  {
    what: "a field that is there twice",
    text: "port: 8000\nport: 9000\n",
    line: 2,
    says: /Map keys must be unique/,
    fix: /Correct the YAML in line 2/,
  },
  {
    what: "a second document",
    text: "port: 8000\n---\nport: 9000\n",
    line: 2,
    says: /second document/,
    fix: /Correct the YAML in line 2/,
  },
  {
    what: "no text at all",
    text: Buffer.from([0x70, 0x0a, 0xff, 0xfe, 0x00, 0x62]),
    line: 2,
    says: /no text in UTF-8/,
    fix: /Save .* as text in UTF-8/,
  },
];

const IMPLEMENT = "  - { name: implement, kind: agent, role: code }\n";
const WORKFLOWS: readonly Mistake[] = [
  {
    what: "an unknown field",
    text: `version: 1\nsteps:\n${IMPLEMENT}  - { name: merge, kind: merge, onConflikt: implement }\n`,
    line: 4,
    says: /steps\.1\.onConflikt "implement": there is no such field; did you mean "onConflict"\?/,
    fix: /Correct .*steps\.1\.onConflikt/,
  },
  {
    what: "a missing field",
    text: `version: 1\nsteps:\n${IMPLEMENT}  - name: merge\n    kind: merge\n`,
    line: 4,
    says: /steps\.1\.onConflict: it is missing; expected string/,
    fix: /Correct steps\.1\.onConflict/,
  },
  {
    what: "text for a number",
    text: "version: 1\nsteps:\n  - name: implement\n    kind: agent\n    role: code\n    retries: many\n",
    line: 6,
    says: /steps\.0\.retries "many": .*expected number/,
    fix: /Correct steps\.0\.retries/,
  },
  {
    what: "a duration that is none",
    text: "version: 1\nsteps:\n  - name: implement\n    kind: agent\n    role: code\n    timeout: soon\n",
    line: 6,
    says: /steps\.0\.timeout "soon": a duration looks like 90s, 30m or 2h/,
    fix: /Correct steps\.0\.timeout/,
  },
  {
    what: "a kind of step that does not exist",
    text: `version: 1\nsteps:\n${IMPLEMENT}  - { name: dance, kind: dance }\n`,
    line: 4,
    says: /steps\.1\.kind "dance"/,
    fix: /Correct steps\.1\.kind/,
  },
  {
    what: "a way back to a step that does not exist",
    text: `version: 1\nsteps:\n${IMPLEMENT}  - { name: merge, kind: merge, onConflict: begin }\n`,
    line: 4,
    says: /steps\.1\.onConflict "begin": it is not an earlier step; earlier steps: implement/,
    fix: /Correct steps\.1\.onConflict/,
  },
  {
    what: "two steps of one name",
    text: `version: 1\nsteps:\n${IMPLEMENT}${IMPLEMENT}`,
    line: 4,
    says: /steps\.1\.name "implement": another step has this name/,
    fix: /Correct steps\.1\.name/,
  },
  { what: "nothing", text: "", line: 1, says: /steps: it is missing/, fix: /Correct .*steps/ },
  {
    what: "YAML that is broken",
    text: "version: 1\nsteps:\n  - { name: implement\n",
    line: 4,
    says: /Flow map/,
    fix: /Correct the YAML in line 4/,
  },
];

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly fix: string;
}
interface Finding extends Problem {
  readonly name: string;
  readonly state: string;
}
const findingIn = (stdout: string, name: string): Finding | undefined =>
  (JSON.parse(stdout) as { findings: Finding[] }).findings.find((one) => one.name === name);

describe("miyabi.yaml with", () => {
  let idle: TestInstallation;
  beforeAll(async () => {
    idle = await createInstallation();
  });
  afterAll(() => idle.destroy());

  it.each(SETTINGS)("$what ends `up`, and `doctor` says the same", async ({ text, line, says, fix }) => {
    const file = path.join(idle.home, "miyabi.yaml");
    await writeFile(file, text);
    const [ended, checked] = await Promise.all([
      idle.cli("up", "--no-demo", "--port", String(idle.port), "--json"),
      idle.cli("doctor", "--json"),
    ]);
    const said = JSON.parse(ended.stderr) as Problem;
    expect(said.code).toBe("config.invalid");
    expect(ended.code).toBe(78);
    expect(ended.stdout).toBe("");
    const finding = findingIn(checked.stdout, "settings");
    expect(finding?.state).toBe("fail");
    expect(checked.code).toBe(69);
    for (const one of [said, finding]) {
      expect(one?.detail.startsWith(`${file}:${line}:`), one?.detail).toBe(true);
      expect(one?.detail).toMatch(says);
      expect(one?.fix).toMatch(fix);
    }
    expect(await idle.processes()).toEqual([]);
  });
});

describe("a repository's workflow with", () => {
  let product: TestInstallation;
  let repository: TestRepository;
  let file: string;
  beforeAll(async () => {
    product = await createInstallation();
    repository = await createTestRepository(path.join(product.home, "words"));
    file = path.join(repository.dir, ".miyabi", "workflow.yaml");
    await mkdir(path.dirname(file));
    product.up();
    await waitUntilIdle(product);
  });
  afterAll(() => product.destroy());

  const add = (...flags: readonly string[]) =>
    product.cli("task", "add", "--json", "--repo", repository.dir, "--title", "A word", ...flags);
  const commit = async (text: string | Buffer): Promise<void> => {
    await writeFile(file, text);
    await repository.git("add", "--all");
    await repository.git("commit", "--quiet", "--message", "Workflow");
  };

  it.each(WORKFLOWS)(
    "$what is refused by `task add`, and nothing is added",
    async ({ text, line, says, fix }) => {
      await commit(text);
      const { code, stdout, stderr } = await add();
      const said = JSON.parse(stderr) as Problem;
      expect(said.code).toBe("workflow.invalid");
      expect(said.detail).toContain(`.miyabi/workflow.yaml (main):${line}:`);
      expect(said.detail).toMatch(says);
      expect(said.fix).toMatch(fix);
      expect(code).toBe(65);
      expect(stdout).toBe("");
      expect(await product.get("/api/tasks")).toMatchObject({ total: 0 });
    },
  );

  it("a role that nobody takes is refused with the roles there are", async () => {
    await commit("version: 1\nsteps:\n  - { name: implement, kind: agent, role: dancer }\n");
    const said = JSON.parse((await add()).stderr) as Problem;
    expect(said.code).toBe("workflow.invalid");
    expect(said.detail).toMatch(/steps\.0\.role "dancer": nobody in the team takes it; known are .*code/);
    expect(said.fix).toMatch(/team/);
  });

  it("a mistake is found by `doctor` in the repository, before it is committed", async () => {
    const text = `version: 1\nsteps:\n${IMPLEMENT.replace("role", "roll")}`;
    await writeFile(file, text);
    const here = await createInstallation({}, undefined, [
      ...["/bin/sh", "-c", `cd '${repository.dir}' && exec "$@"`, "sh"],
    ]);
    try {
      const found = findingIn((await here.cli("doctor", "--json")).stdout, "workflow");
      expect(found).toMatchObject({ state: "fail", detail: expect.stringContaining(`${file}:3: steps.0`) });
      await writeFile(file, `version: 1\nsteps:\n${IMPLEMENT}`);
      const mended = findingIn((await here.cli("doctor", "--json")).stdout, "workflow");
      expect(mended).toMatchObject({ state: "warn", fix: expect.stringContaining("commit") });
    } finally {
      await here.destroy();
    }
  });

  it("nothing wrong is followed, also while miyabi.yaml is broken; the next start says so, and loses nothing", async () => {
    await commit(`version: 1\nsteps:\n${IMPLEMENT}`);
    const settings = path.join(product.home, "miyabi.yaml");
    await writeFile(settings, "port: [\n");
    const recipe =
      "```miyabi-recipe\nimplement:\n  - write: { path: a.txt, content: a }\n  - commit: a\n```\n";
    const { stdout } = await add("--body", recipe);
    const { id } = JSON.parse(stdout) as { id: string };
    expect(await waitForTask(product, id, hasEnded)).toMatchObject({ state: "done" });

    expect((await product.cli("shutdown")).code).toBe(0);
    const broken = await product.cli("up", "--detach", "--no-demo", "--port", String(product.port), "--json");
    expect(broken.code).toBe(78);
    expect((JSON.parse(broken.stderr) as Problem).detail).toContain(`${settings}:2`);
    await writeFile(settings, "runtime: process\n");
    product.up();
    await eventually("the product answers", 60_000, () => product.get("/healthz"));
    expect(await product.get(`/api/tasks/${id}`)).toMatchObject({ state: "done" });
  });
});

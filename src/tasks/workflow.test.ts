import { expect, test } from "vitest";
import { AppError, parseYaml } from "../base/index.ts";
import { defaultWorkflow, workflow, type Workflow } from "./workflow.ts";

const read = (text: string): Workflow =>
  parseYaml({ text, source: "workflow.yaml", schema: workflow, code: "workflow.invalid" });

function problemsOf(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}

const IMPLEMENT = "version: 1\nsteps:\n  - { name: implement, kind: agent, role: code }\n";

test("defaults are filled in", () => {
  expect(read(IMPLEMENT)).toEqual({
    version: 1,
    prepare: null,
    egress: [],
    steps: [{ name: "implement", kind: "agent", role: "code", timeout: 1_800_000, retries: 4, rounds: 3 }],
  });
  expect(
    read(`${IMPLEMENT}  - { name: test, kind: check, commands: [make], timeout: 90s }`).steps[1],
  ).toMatchObject({
    timeout: 90_000,
    rounds: 5,
  });
});

test("broken YAML is named with its line", () => {
  expect(problemsOf("version: 1\nsteps: [\n  {name: x")).toMatch(
    /^workflow\.invalid workflow\.yaml:\d+:\d+: /,
  );
});

test.each([
  ["an unknown field", `${IMPLEMENT}    \nretry: 3\n`, /workflow\.yaml:5: .*retry/],
  [
    "an unknown field of a step",
    `${IMPLEMENT}  - name: review\n    kind: agent\n    role: review\n    roundz: 2\n`,
    /workflow\.yaml:7: steps\.1\.roundz "2": there is no such field; did you mean "rounds"\?/,
  ],
  ["an unknown kind", `${IMPLEMENT}  - { name: x, kind: dance }\n`, /workflow\.yaml:4: steps\.1\.kind/],
  [
    "a timeout without a unit",
    `${IMPLEMENT}  - { name: x, kind: check, commands: [a], timeout: 90 }\n`,
    /workflow\.yaml:4: steps\.1\.timeout/,
  ],
  ["no steps", "version: 1\nsteps: []\n", /workflow\.yaml:2: steps/],
  ["an empty file", "", /workflow\.yaml:1: version/],
  [
    "a name used twice",
    `${IMPLEMENT}  - { name: implement, kind: approval }\n`,
    /:4: steps\.1\.name "implement": another step has this name already/,
  ],
  [
    "a link to a later step",
    "version: 1\nsteps:\n  - { name: a, kind: agent, role: r, onChanges: b }\n  - { name: b, kind: agent, role: r }\n",
    /:3: steps\.0\.onChanges "b": it is not an earlier step; earlier steps: none/,
  ],
  [
    "a link to itself",
    `${IMPLEMENT}  - { name: merge, kind: merge, onConflict: merge }\n`,
    /:4: steps\.1\.onConflict "merge": it is not an earlier step; earlier steps: implement/,
  ],
  [
    "a merge check that is no step",
    `${IMPLEMENT}  - { name: merge, kind: merge, onConflict: implement, check: test }\n`,
    /steps\.1\.check "test": it is not an earlier step/,
  ],
  [
    "an address instead of a host name",
    "version: 1\negress: [http://example.org]\nsteps:\n  - { name: a, kind: approval }\n",
    /:2: egress\.0 "http:\/\/example\.org": expected a host name/,
  ],
])("%s is refused with its field and line", (_name, text, message) => {
  expect(problemsOf(text)).toMatch(message);
});

test("several problems are all named", () => {
  expect(
    problemsOf(`${IMPLEMENT}  - { name: X, kind: approval, onReject: nowhere }\nwhat: 1\n`).split("\n")
      .length,
  ).toBeGreaterThan(1);
});

test("the default workflow has a check only where there are commands for it", () => {
  const names = (check: readonly string[]): string[] =>
    defaultWorkflow({ check, prepare: null }).steps.map((step) => step.name);
  expect(names(["npm test"])).toEqual(["implement", "check", "review", "merge"]);
  expect(names([])).toEqual(["implement", "review", "merge"]);
});

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { RUN_STATES, STEP_STATES, TASK_STATES } from "../../contract/index.ts";
import { nextState, type TransitionTable } from "./machine.ts";
import { RUN_INPUTS, RUN_TABLE } from "./run-machine.ts";
import { STEP_INPUTS, STEP_TABLE } from "./step-machine.ts";
import { isFinal, TASK_INPUTS, TASK_TABLE } from "./task-machine.ts";

interface Machine {
  readonly name: string;
  readonly first: string;
  readonly states: readonly string[];
  readonly inputs: readonly string[];
  readonly table: TransitionTable<string, string>;
}

const MACHINES: readonly Machine[] = [
  { name: "Task", first: "queued", states: TASK_STATES, inputs: TASK_INPUTS, table: TASK_TABLE },
  { name: "Step", first: "pending", states: STEP_STATES, inputs: STEP_INPUTS, table: STEP_TABLE },
  { name: "Run", first: "queued", states: RUN_STATES, inputs: RUN_INPUTS, table: RUN_TABLE },
];

const DOCUMENT = new URL("../../../docs/state-machines.md", import.meta.url);

/** Every pair of the machine, by the document's table: `state input` → next state, or null for "—". */
async function documented({ name }: Machine): Promise<ReadonlyMap<string, string | null>> {
  const section =
    (await readFile(DOCUMENT, "utf8")).split(/^## /m).find((part) => part.startsWith(name)) ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  const inputs = rows[0]?.slice(1) ?? [];
  return new Map(
    rows
      .slice(2)
      .flatMap(([state, ...cells]) =>
        cells.map((cell, index): [string, string | null] => [
          `${state} ${inputs[index]}`,
          cell === "—" ? null : cell,
        ]),
      ),
  );
}

async function drawn({ name }: Machine): Promise<ReadonlySet<string>> {
  const section =
    (await readFile(DOCUMENT, "utf8")).split(/^## /m).find((part) => part.startsWith(name)) ?? "";
  const diagram = /```mermaid\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
  const arrows = [...diagram.matchAll(/^\s*(\w+) --> (\w+): (.+)$/gm)];
  return new Set(
    arrows.flatMap(([, from, to, inputs]) =>
      (inputs ?? "").split(", ").map((input) => `${from} ${input} ${to}`),
    ),
  );
}

describe.each(MACHINES)("$name", (machine) => {
  const pairs = machine.states.flatMap((state) => machine.inputs.map((input) => [state, input] as const));

  test("every pair of state and input leads where the document says, and nowhere else", async () => {
    const expected = await documented(machine);
    expect(expected.size).toBe(pairs.length);
    for (const [state, input] of pairs)
      expect([state, input, nextState(machine.table, state, input)]).toEqual([
        state,
        input,
        expected.get(`${state} ${input}`),
      ]);
  });

  test("the diagram draws exactly the transitions that change the state", async () => {
    const changes = pairs.flatMap(([state, input]) => {
      const to = nextState(machine.table, state, input);
      return to === null || to === state ? [] : [`${state} ${input} ${to}`];
    });
    expect([...(await drawn(machine))].sort()).toEqual(changes.sort());
  });

  test("every state but the reserved ones can be reached from the first", () => {
    const reached = new Set([machine.first]);
    for (const state of reached)
      for (const input of machine.inputs) {
        const to = nextState(machine.table, state, input);
        if (to !== null) reached.add(to);
      }
    expect(machine.states.filter((state) => !reached.has(state))).toEqual(
      machine.name === "Step" ? ["skipped"] : [],
    );
  });
});

test("an ended run takes no input, and a final task only a retry", () => {
  for (const state of ["succeeded", "failed", "lost", "cancelled"] as const)
    expect(RUN_TABLE[state]).toEqual({});
  const taken = TASK_STATES.filter(isFinal).map((state) => [state, Object.keys(TASK_TABLE[state])]);
  expect(taken).toEqual([
    ["done", []],
    ["failed", ["retry"]],
    ["cancelled", ["retry"]],
  ]);
});

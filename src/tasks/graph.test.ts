import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, topologicalOrder, type Graph } from "./graph.ts";

const NODES = ["a", "b", "c", "d", "e", "f", "g", "h"];

const anyGraph: fc.Arbitrary<Graph> = fc
  .array(fc.tuple(fc.constantFrom(...NODES), fc.constantFrom(...NODES, "elsewhere")), { maxLength: 16 })
  .map((edges) => new Map(NODES.map((node) => [node, edges.filter(([a]) => a === node).map(([, b]) => b)])));

/** Whether nodes remain after taking away, as long as possible, those that depend on none of the rest (Kahn). */
function hasCycle(graph: Graph): boolean {
  const left = new Set(graph.keys());
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const node of left) if (!(graph.get(node) ?? []).some((other) => left.has(other))) left.delete(node);
  }
  return left.size > 0;
}

test("a cycle is found where one exists, and only there", () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      expect(findCycle(graph) !== null).toBe(hasCycle(graph));
    }),
  );
});

test("the cycle is a path of the graph that ends where it began", () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const cycle = findCycle(graph) ?? [];
      for (const [index, node] of cycle.slice(0, -1).entries())
        expect(graph.get(node)).toContain(cycle[index + 1]);
      expect(cycle.at(-1)).toBe(cycle[0]);
    }),
  );
});

test("in topological order every node stands once, after all that it depends on", () => {
  fc.assert(
    fc.property(
      anyGraph.filter((graph) => !hasCycle(graph)),
      (graph) => {
        const order = topologicalOrder(graph);
        expect([...order].sort()).toEqual(NODES);
        for (const [node, needs] of graph)
          for (const other of needs)
            if (graph.has(other)) expect(order.indexOf(other)).toBeLessThan(order.indexOf(node));
      },
    ),
  );
});

test("depth is no limit", () => {
  const names = Array.from({ length: 50_000 }, (_, index) => `n${index}`);
  const chain: Graph = new Map(names.map((name, index) => [name, names.slice(index + 1, index + 2)]));
  expect(findCycle(chain)).toBeNull();
  expect(topologicalOrder(chain)[0]).toBe("n49999");
  expect(findCycle(new Map([...chain, ["n49999", ["n0"]]]))).toHaveLength(50_001);
});

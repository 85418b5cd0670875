/** Dependency graph over any keys: `edges.get(a)` lists what `a` depends on. Keys that are not nodes are ignored. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** A cycle as a path that ends where it began, e.g. `["a", "b", "a"]`, or null. Deterministic; iterative, so depth is no limit. */
export function findCycle(graph: Graph): readonly string[] | null {
  const finished = new Set<string>();
  for (const root of graph.keys()) {
    if (finished.has(root)) continue;
    const path: string[] = [root];
    const onPath = new Set(path);
    const pending: string[][] = [[...(graph.get(root) ?? [])]];
    while (path.length > 0) {
      const next = pending.at(-1)?.shift();
      if (next === undefined) {
        const done = path.pop();
        pending.pop();
        if (done !== undefined) {
          onPath.delete(done);
          finished.add(done);
        }
      } else if (onPath.has(next)) {
        return [...path.slice(path.indexOf(next)), next];
      } else if (!finished.has(next) && graph.has(next)) {
        path.push(next);
        onPath.add(next);
        pending.push([...(graph.get(next) ?? [])]);
      }
    }
  }
  return null;
}

/** Nodes so that each stands after everything it depends on; ties keep the map's order. The graph must have no cycle. */
export function topologicalOrder(graph: Graph): readonly string[] {
  const ordered = new Set<string>();
  const visit = [...graph.keys()].reverse();
  while (visit.length > 0) {
    const node = visit.at(-1) as string;
    const missing = (graph.get(node) ?? []).filter((other) => graph.has(other) && !ordered.has(other));
    if (ordered.has(node) || missing.length === 0) {
      visit.pop();
      ordered.add(node);
    } else visit.push(...missing.reverse());
  }
  return [...ordered];
}

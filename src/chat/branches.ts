interface Node {
  readonly id: string;
  readonly parentId: string | null;
}

/** Messages from the thread's beginning to `leafId`, oldest first; empty for null. */
export function pathTo<T extends Node>(messages: readonly T[], leafId: string | null): readonly T[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: T[] = [];
  // Each step removes what it has seen, so that a circle ends too.
  for (let id = leafId; id !== null;) {
    const message = byId.get(id);
    if (message === undefined) break;
    byId.delete(id);
    path.push(message);
    id = message.parentId;
  }
  return path.toReversed();
}

/** Where the newest branch below a message ends; the messages are in their order. */
export function newestLeaf(messages: readonly Node[], id: string): string {
  const newestChild = new Map<string, string>();
  for (const message of messages)
    if (message.parentId !== null) newestChild.set(message.parentId, message.id);
  let leaf = id;
  for (let next = newestChild.get(leaf); next !== undefined; next = newestChild.get(leaf)) {
    newestChild.delete(leaf);
    leaf = next;
  }
  return leaf;
}

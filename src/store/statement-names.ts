/** Names for the statements that come again and again, under which a connection keeps them parsed and planned. */
export interface StatementNames {
  /** Undefined for a statement that is still rare: it is sent whole. The same text has the same name on every connection. */
  nameOf(sql: string): string | undefined;
  /** Starts anew with other names, after a table changed under the plans that the connections keep. */
  renew(): void;
}

const REPEATED = 5;
// Each connection keeps its own copy; text that is built with values in it must not fill the server's memory.
const MOST_NAMES = 200;
const MOST_COUNTED = 1_000;

export function createStatementNames(): StatementNames {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();
  let generation = 0;
  return {
    nameOf: (sql) => {
      const known = names.get(sql);
      if (known !== undefined || names.size >= MOST_NAMES) return known;
      const count = (uses.get(sql) ?? 0) + 1;
      if (count < REPEATED) {
        if (uses.size >= MOST_COUNTED) uses.clear();
        uses.set(sql, count);
        return undefined;
      }
      uses.delete(sql);
      const name = `miyabi_${generation}_${names.size}`;
      names.set(sql, name);
      return name;
    },
    renew: () => {
      generation += 1;
      names.clear();
      uses.clear();
    },
  };
}

/** A sum by labels, or a histogram, as Prometheus reads it. */
interface Tally {
  /** With its header, without an end of line. */
  text(): string;
}

export interface Counts extends Tally {
  add(amount: number, ...labels: readonly string[]): void;
}

export interface Durations extends Tally {
  observe(seconds: number, label: string): void;
}

interface Named {
  readonly name: string;
  readonly help: string;
}

/**
 * Sums by labels. For what is counted with every call: prom-client, which the other metrics use, checks and sorts the labels
 * of each number.
 */
export function createCounts(params: Named & { readonly labels: readonly string[] }): Counts {
  const sums = new Map<string, { readonly labels: readonly string[]; sum: number }>();
  return {
    add: (amount, ...labels) => {
      const key = labels.length === 1 ? (labels[0] ?? "") : labels.join("\n");
      const known = sums.get(key);
      if (known === undefined) sums.set(key, { labels, sum: amount });
      else known.sum += amount;
    },
    text: () =>
      [
        ...headerOf(params, "counter"),
        ...[...sums.values()].map(({ labels, sum }) => {
          const pairs = params.labels.map((name, index) => `${name}="${escaped(labels[index] ?? "")}"`);
          return `${params.name}{${pairs.join(",")}} ${sum}`;
        }),
      ].join("\n"),
  };
}

/** A histogram by one label; `bounds` in seconds, ascending. */
export function createDurations(
  params: Named & { readonly label: string; readonly bounds: readonly number[] },
): Durations {
  const { name, bounds } = params;
  const seen = new Map<string, { readonly counts: number[]; count: number; sum: number }>();
  return {
    observe: (seconds, label) => {
      const known = seen.get(label) ?? { counts: bounds.map(() => 0), count: 0, sum: 0 };
      seen.set(label, known);
      const index = bounds.findIndex((bound) => seconds <= bound);
      if (index !== -1) known.counts[index] = (known.counts[index] ?? 0) + 1;
      known.count += 1;
      known.sum += seconds;
    },
    text: () =>
      [
        ...headerOf(params, "histogram"),
        ...[...seen].flatMap(([label, { counts, count, sum }]) => {
          const pair = `${params.label}="${escaped(label)}"`;
          let below = 0;
          return [
            ...bounds.map((bound, index) => {
              below += counts[index] ?? 0;
              return `${name}_bucket{le="${bound}",${pair}} ${below}`;
            }),
            `${name}_bucket{le="+Inf",${pair}} ${count}`,
            `${name}_sum{${pair}} ${sum}`,
            `${name}_count{${pair}} ${count}`,
          ];
        }),
      ].join("\n"),
  };
}

function headerOf({ name, help }: Named, type: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

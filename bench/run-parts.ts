import { build } from "../scripts/build.ts";
import type { Result } from "./result.ts";

type Measure = (note: (text: string) => void) => Promise<readonly Result[]>;

/** Carries out the parts of a benchmark and prints what they measured: all of them, or the one after `--only`; `--json` for programs. */
export async function runParts(parts: Readonly<Record<string, Measure>>): Promise<void> {
  const asJson = process.argv.includes("--json");
  const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
  if (only !== undefined && parts[only] === undefined) {
    process.stderr.write(`There is no part "${only}"; there are ${Object.keys(parts).join(", ")}.\n`);
    process.exit(64);
  }
  await build({ ifStale: true });
  const results: Result[] = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (only !== undefined && name !== only) continue;
    process.stderr.write(`${name} …\n`);
    // One after the other: two at once would measure each other.
    results.push(...(await measure((text) => process.stderr.write(`  ${text}\n`))));
  }
  process.stdout.write(asJson ? `${JSON.stringify(results, null, 2)}\n` : table(results));
}

function table(rows: readonly Result[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, value, unit, goal, met }) => {
      const aim = goal === null ? "" : `  goal ${goal}  ${met === true ? "met" : "MISSED"}`;
      return `${name.padEnd(width)}  ${String(value).padStart(8)} ${unit}${aim}\n`;
    })
    .join("");
}

import { atLeast, atMost, noGoal, type Result } from "../result.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";

/** One thing that was measured, of each peer that it was measured of. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: Readonly<Partial<Record<PeerName, number>>>;
  /** For ours. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

/** As `npm run bench` has them: one for each peer, goals for ours. */
export function resultsOf(figures: readonly Figure[]): readonly Result[] {
  return figures.flatMap(({ name, unit, values, goal }) =>
    PEER_NAMES.flatMap((peer) => {
      const value = values[peer];
      if (value === undefined) return [];
      const figure = { name: `${peer}: ${name}`, value, unit };
      if (peer !== "ours" || goal === undefined) return [noGoal(figure)];
      return ["atMost" in goal ? atMost(goal.atMost, figure) : atLeast(goal.atLeast, figure)];
    }),
  );
}

/** The peers side by side. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ["", ...PEER_NAMES, "", "goal", ""];
  const rows = figures.map((figure) => {
    const { name, unit, values, goal } = figure;
    const ours = resultsOf([figure]).find((one) => one.met !== null);
    const aim = goal === undefined ? "" : "atMost" in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
    const shown = PEER_NAMES.map((peer) => {
      const value = values[peer];
      return value === undefined ? "–" : String(Number(value.toPrecision(3)));
    });
    return [name, ...shown, unit, aim, ours === undefined ? "" : ours.met === true ? "met" : "MISSED"];
  });
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isNumber = (column: number): boolean => column >= 1 && column <= PEER_NAMES.length;
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

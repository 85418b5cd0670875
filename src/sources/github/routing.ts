import type { GitHubSettings } from "./settings.ts";

/** What an issue's labels say about who works on it, and how. */
export interface Route {
  readonly class: "P0" | "P1" | "P2";
  /** Agent profile for every agent step; null: the team's. */
  readonly profile: string | null;
  /** Name of a workflow of the repository; null: its usual one. */
  readonly workflow: string | null;
  /** Who implements; null: as the workflow says. */
  readonly role: string | null;
}

/** Of several routes the first in the settings counts, for each thing that it says; of several classes the most urgent. Pure. */
export function routeOf(
  { routes, classes }: Pick<GitHubSettings, "routes" | "classes">,
  labels: readonly string[],
): Route {
  const worn = new Set(labels.map((label) => label.toLowerCase()));
  const fitting = routes.filter(({ label }) => worn.has(label.toLowerCase()));
  const urgent = Object.entries(classes)
    .filter(([label]) => worn.has(label.toLowerCase()))
    .map(([, one]) => one)
    .sort();
  return {
    class: urgent[0] ?? "P2",
    profile: fitting.find(({ profile }) => profile !== undefined)?.profile ?? null,
    workflow: fitting.find(({ workflow }) => workflow !== undefined)?.workflow ?? null,
    role: fitting.find(({ role }) => role !== undefined)?.role ?? null,
  };
}

/** The order in which issues take what room there is: the most urgent class first, then the lowest number. Pure. */
export function byClass(settings: Pick<GitHubSettings, "routes" | "classes">) {
  type Issue = { readonly number: number; readonly labels: readonly string[] };
  return (a: Issue, b: Issue): number =>
    routeOf(settings, a.labels).class.localeCompare(routeOf(settings, b.labels).class) || a.number - b.number;
}

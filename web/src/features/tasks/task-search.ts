import type { TaskState } from "../../../../src/contract/index.ts";
import { TASK_STATE_ORDER } from "../../ui/state-look.ts";
import type { TaskFilter } from "../../api/queries.ts";

export const TASK_CLASSES = ["P0", "P1", "P2"] as const;
export const TASK_ORDERS = ["newest", "deadline", "updated"] as const;
type TaskClass = (typeof TASK_CLASSES)[number];
type TaskOrder = (typeof TASK_ORDERS)[number];

/** Filters of the task list as they stand in the URL; an absent field filters nothing. */
export interface TaskSearch {
  readonly state?: string;
  readonly class?: string;
  readonly repository?: string;
  readonly label?: string;
  readonly q?: string;
  readonly order?: TaskOrder;
  readonly view?: "board";
}

/** Reads the query string. Values that no filter knows are dropped: an old or mistyped link still shows a list. */
export function parseTaskSearch(raw: Readonly<Record<string, unknown>>): TaskSearch {
  const state = keepKnown(raw["state"], TASK_STATE_ORDER);
  const taskClass = keepKnown(raw["class"], TASK_CLASSES);
  const order = TASK_ORDERS.find((one) => one === raw["order"] && one !== "newest");
  return {
    ...(state === "" ? {} : { state }),
    ...(taskClass === "" ? {} : { class: taskClass }),
    ...text("repository", raw["repository"]),
    ...text("label", raw["label"]),
    ...text("q", raw["q"]),
    ...(order === undefined ? {} : { order }),
    ...(raw["view"] === "board" ? { view: "board" as const } : {}),
  };
}

/** The part of the search that the API filters by. */
export function toTaskFilter(search: TaskSearch): TaskFilter {
  const { view: _view, ...filter } = search;
  return filter;
}

export function statesOf(search: TaskSearch): readonly TaskState[] {
  return split(search.state, TASK_STATE_ORDER);
}

export function classesOf(search: TaskSearch): readonly TaskClass[] {
  return split(search.class, TASK_CLASSES);
}

/** Whether the search shows less than everything. */
export function isFiltered(search: TaskSearch): boolean {
  return (["state", "class", "repository", "label", "q"] as const).some((name) => search[name] !== undefined);
}

/** The search with one filter changed; an empty value removes it. */
export function withFilter<K extends keyof TaskSearch>(
  search: TaskSearch,
  name: K,
  value: TaskSearch[K] | readonly string[] | null,
): TaskSearch {
  const text = Array.isArray(value) ? value.join(",") : value;
  return parseTaskSearch({ ...search, [name]: text ?? undefined });
}

function split<T extends string>(value: string | undefined, known: readonly T[]): readonly T[] {
  const parts = new Set(value?.split(","));
  return known.filter((one) => parts.has(one));
}

function keepKnown(value: unknown, known: readonly string[]): string {
  return typeof value === "string" ? split(value, known).join(",") : "";
}

function text<K extends string>(name: K, value: unknown): Partial<Record<K, string>> {
  const trimmed = typeof value === "string" ? value.slice(0, 200) : "";
  return trimmed.trim() === "" ? {} : ({ [name]: trimmed } as Record<K, string>);
}

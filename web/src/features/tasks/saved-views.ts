import { parseTaskSearch, type TaskSearch } from "./task-search.ts";

const STORAGE_KEY = "miyabi.task-views";

/** A filter under a name of the person's own, kept in this browser. */
export interface SavedView {
  readonly name: string;
  readonly search: TaskSearch;
}

/** Views that everyone has; their names are in the language files. */
export const BUILT_IN_VIEWS = [
  { id: "all", search: {} },
  { id: "open", search: { state: "running,waiting,ready,queued,blocked,delivered", order: "deadline" } },
  { id: "waiting", search: { state: "waiting" } },
  { id: "failed", search: { state: "failed" } },
  { id: "merged", search: { state: "done", order: "updated" } },
] as const satisfies readonly { readonly id: string; readonly search: TaskSearch }[];

/** Whether both searches show the same list; the choice of table or board does not count. */
export function isSameView(a: TaskSearch, b: TaskSearch): boolean {
  return (["state", "class", "repository", "label", "q", "order"] as const).every(
    (name) => a[name] === b[name],
  );
}

/** Reads saved views from what storage held; anything damaged counts as none. */
export function parseSavedViews(text: string | null): readonly SavedView[] {
  try {
    const raw: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(raw)) return [];
    return raw.flatMap((entry: unknown) => {
      if (typeof entry !== "object" || entry === null || !("name" in entry) || !("search" in entry))
        return [];
      const { name, search } = entry;
      if (typeof name !== "string" || typeof search !== "object" || search === null) return [];
      return [{ name, search: parseTaskSearch({ ...search }) }];
    });
  } catch {
    return [];
  }
}

export function loadSavedViews(): readonly SavedView[] {
  try {
    return parseSavedViews(localStorage.getItem(STORAGE_KEY));
  } catch {
    return [];
  }
}

export function storeSavedViews(views: readonly SavedView[]): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(views));
  } catch {
    // Storage can be forbidden; the views then last as long as the page.
  }
}

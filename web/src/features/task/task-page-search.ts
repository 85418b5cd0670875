export const TASK_TABS = [
  "transcript",
  "changes",
  "checks",
  "messages",
  "history",
  "explain",
  "brief",
] as const;
export type TaskTab = (typeof TASK_TABS)[number];

/** What the task page shows, as it stands in the URL. */
export interface TaskPageSearch {
  readonly tab?: TaskTab;
  /** Run whose transcript or changes are shown; default: the newest that fits. */
  readonly run?: string;
  /** Transcript line (sequence number) to stand at. */
  readonly line?: number;
}

/** Reads the query string; what does not fit is dropped. */
export function parseTaskPageSearch(raw: Readonly<Record<string, unknown>>): TaskPageSearch {
  const tab = TASK_TABS.find((one) => one === raw["tab"]);
  const run = typeof raw["run"] === "string" && /^R[1-9]\d*$/.test(raw["run"]) ? raw["run"] : undefined;
  const line = Number(raw["line"]);
  return {
    ...(tab === undefined ? {} : { tab }),
    ...(run === undefined ? {} : { run }),
    ...(Number.isSafeInteger(line) && line > 0 ? { line } : {}),
  };
}

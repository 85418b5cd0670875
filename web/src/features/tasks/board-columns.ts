import type { TaskState, TaskSummary } from "../../../../src/contract/index.ts";

/** Columns of the board, left to right, with the states they hold. */
export const BOARD_COLUMNS = [
  { id: "next", states: ["ready", "queued", "blocked"] },
  { id: "running", states: ["running"] },
  { id: "waiting", states: ["waiting"] },
  { id: "delivered", states: ["delivered"] },
  { id: "done", states: ["done"] },
  { id: "ended", states: ["failed", "cancelled"] },
] as const satisfies readonly { readonly id: string; readonly states: readonly TaskState[] }[];

export interface BoardColumn {
  readonly id: (typeof BOARD_COLUMNS)[number]["id"];
  readonly tasks: readonly TaskSummary[];
}

/** Puts tasks into columns, keeping their order. */
export function toColumns(tasks: readonly TaskSummary[]): readonly BoardColumn[] {
  return BOARD_COLUMNS.map(({ id, states }) => {
    const held: readonly TaskState[] = states;
    return { id, tasks: tasks.filter(({ state }) => held.includes(state)) };
  });
}

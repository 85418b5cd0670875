import { AppError } from "../base/index.ts";
import { TASK_STATES, type TaskState, type TaskSummary } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";
import type { TaskClass } from "./deadline.ts";
import { SUMMARY_COLUMNS, SUMMARY_JOINS, withCosts, type Costs, type SummaryRow } from "./view-rows.ts";

export const LIST_ORDERS = ["newest", "deadline", "updated"] as const;

export interface TaskFilter {
  /** Absent or empty: every state. */
  readonly state?: readonly TaskState[] | undefined;
  readonly class?: readonly TaskClass[] | undefined;
  /** Id of a repository. */
  readonly repository?: string | undefined;
  readonly label?: string | undefined;
  /** Part of the title in any case, or a whole id. */
  readonly q?: string | undefined;
  readonly order: (typeof LIST_ORDERS)[number];
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface TaskPage {
  readonly items: TaskSummary[];
  readonly nextCursor: string | null;
  /** Exact below `MAX_TOTAL`, at which counting stops. */
  readonly total: number;
}

/** Counting further would cost more than the answer is worth. */
const MAX_TOTAL = 1_000;
/** Newest tasks that are looked through to see whether a text is common. */
const PROBED = 1_000;

interface Cursor {
  readonly key: string;
  readonly number: string;
}

interface Ordering {
  readonly orderBy: string;
  /** Text of the sort key, exact to the microsecond. */
  readonly key: string;
  /** Condition of what stands after a cursor; binds only what it needs, since PostgreSQL refuses the rest. */
  readonly after: (cursor: Cursor, bind: (value: unknown) => string) => string;
}

const instantOf = (key: string): string => `timestamptz 'epoch' + ${key}::bigint * interval '1 microsecond'`;
const microsOf = (column: string): string => `(extract(epoch from ${column}) * 1000000)::bigint::text`;

const ORDERINGS: Readonly<Record<TaskFilter["order"], Ordering>> = {
  newest: {
    orderBy: "number desc",
    key: "'0'",
    after: ({ number }, bind) => `number < ${bind(number)}::bigint`,
  },
  deadline: {
    orderBy: "deadline_at, number",
    key: microsOf("deadline_at"),
    after: ({ key, number }, bind) =>
      `(deadline_at, number) > (${instantOf(bind(key))}, ${bind(number)}::bigint)`,
  },
  updated: {
    orderBy: "updated_at desc, number desc",
    key: microsOf("updated_at"),
    after: ({ key, number }, bind) =>
      `(updated_at, number) < (${instantOf(bind(key))}, ${bind(number)}::bigint)`,
  },
};

/**
 * One page of tasks. Each state, class and order is read from an index that fits, whatever the table holds: see the
 * test of its plans. A task that changes between two pages may be seen twice or not at all; nothing else may.
 * @throws input.invalid for a cursor that is none.
 */
export async function listTasks(
  db: Queryable,
  costs: Costs,
  filter: Readonly<TaskFilter>,
): Promise<TaskPage> {
  const ordering = ORDERINGS[filter.order];
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions = conditionsOf(filter, bind, await isCommon(db, filter));
  const counted = union(
    filter,
    conditions,
    (where) => `select 1 from miyabi.tasks ${where} limit ${MAX_TOTAL}`,
  );
  if (filter.cursor !== undefined) conditions.push(ordering.after(parseCursor(filter.cursor), bind));
  const limit = bind(filter.limit + 1);
  // A first page that has room left has everything: what was searched for is not searched a second time.
  const isFirst = filter.cursor === undefined;
  const columns = `id, number, deadline_at, updated_at`;
  const page = union(
    filter,
    conditions,
    (where) => `select ${columns} from miyabi.tasks ${where} order by ${ordering.orderBy} limit ${limit}`,
  );
  const { rows } = await db.query<SummaryRow & { total: number; sort_key: string }>(
    `with page as (select * from (${page}) every order by ${ordering.orderBy} limit ${limit}),
       total as (select case
         when ${isFirst} and (select count(*) from page) < ${limit} then (select count(*)::int from page)
         else (select count(*)::int from (select 1 from (${counted}) every limit ${MAX_TOTAL}) counted) end as total)
     select total.total, page.sort_key, ${SUMMARY_COLUMNS}
     from total left join lateral (select id, number, ${ordering.key} as sort_key,
         row_number() over (order by ${ordering.orderBy}) as place from page) page on true
       left join (miyabi.tasks t ${SUMMARY_JOINS}) on t.id = page.id
     order by page.place`,
    values,
  );
  const found = rows.filter((row) => row.id !== null);
  const items = await withCosts(found.slice(0, filter.limit), costs);
  const last = found[filter.limit - 1];
  return {
    items,
    nextCursor: found.length > filter.limit && last !== undefined ? `${last.sort_key}-${last.number}` : null,
    total: rows[0]?.total ?? 0,
  };
}

/** Whether the newest tasks alone fill a page: then reading them in order is faster than any index on titles. */
async function isCommon(db: Queryable, { q, limit }: Readonly<TaskFilter>): Promise<boolean> {
  if (q === undefined || q.trim() === "") return false;
  const { rows } = await db.query<{ found: number }>(
    `select count(*)::int as found from (select title from miyabi.tasks order by number desc limit ${PROBED}) newest
     where position(lower($1) in lower(title)) > 0`,
    [q.trim()],
  );
  return (rows[0]?.found ?? 0) > limit;
}

function conditionsOf(
  filter: Readonly<TaskFilter>,
  bind: (value: unknown) => string,
  isCommonText: boolean,
): string[] {
  const conditions: string[] = [];
  if (filter.repository !== undefined) conditions.push(`repository_id = ${bind(filter.repository)}`);
  // The second half lets the planner use the index of tasks that have labels.
  if (filter.label !== undefined)
    conditions.push(`labels @> array[${bind(filter.label)}::text] and labels <> '{}'`);
  const q = filter.q?.trim() ?? "";
  if (/^T[1-9]\d*$/i.test(q)) conditions.push(`id = ${bind(q.toUpperCase())}`);
  else if (q !== "") {
    const text = bind(q);
    conditions.push(`position(lower(${text}) in lower(title)) > 0`);
    // The index finds titles with the same pairs of characters; the condition above, those with them in this order.
    if (!isCommonText) conditions.push(`title_grams @> miyabi.grams(${text})`);
  }
  return conditions;
}

/*
 * Several states (or classes) become one branch each: every branch ends after `limit` rows of its own index, where
 * `state in (…)` would read and sort all rows of a state. The values are constants, so that each branch is planned by
 * the statistics of its own value; they are words of the contract, checked here once more.
 */
function union(
  filter: Readonly<TaskFilter>,
  conditions: readonly string[],
  select: (where: string) => string,
): string {
  // The indexes of the other orders begin with the state.
  const every = filter.order === "newest" ? [] : TASK_STATES;
  const states = branches("state", filter.state?.length ? filter.state : every);
  const classes = branches("class", filter.class);
  const selects = states.flatMap((state) =>
    classes.map((one) => {
      const all = [...state, ...one, ...conditions];
      return `(${select(all.length === 0 ? "" : `where ${all.join(" and ")}`)})`;
    }),
  );
  return selects.join(" union all ");
}

function branches(column: string, values: readonly string[] | undefined): readonly (readonly string[])[] {
  if (values === undefined || values.length === 0) return [[]];
  return [...new Set(values)].map((value) => {
    if (!/^[a-zA-Z0-9-]+$/.test(value))
      throw new AppError({
        code: "input.invalid",
        message: `"${value}" is no ${column}.`,
        details: { field: column },
      });
    return [`${column} = '${value}'`];
  });
}

function parseCursor(cursor: string): Cursor {
  const match = /^(\d{1,17})-(\d{1,18})$/.exec(cursor);
  if (match?.[1] !== undefined && match[2] !== undefined) return { key: match[1], number: match[2] };
  throw new AppError({
    code: "input.invalid",
    message: `"${cursor.slice(0, 100)}" is no cursor of this list.`,
    fix: "Send `nextCursor` of the page before, or none.",
    details: { field: "cursor" },
  });
}

import { createTaskQueries, type TaskFilter } from "../src/tasks/index.ts";
import { openBenchDatabase } from "./database.ts";
import { atMost, percentile, type Result } from "./result.ts";

/*
 * One page of the task list, as the console and the API ask for it, with 100,000 tasks in the table: every filter and order, the
 * first page and one far down. p99 over all of them.
 */
const ROWS = 100_000;
const ROUNDS = 100;

const FILL = `
insert into miyabi.repositories (id, name, path, target_branch)
  select 'r' || n, 'repository-' || n, '/r' || n, 'main' from generate_series(1, 20) n;
insert into miyabi.tasks (repository_id, source, title, body, labels, class, own_deadline_at, deadline_at, workflow, state, finished_at, created_at, updated_at)
  select 'r' || (1 + n % 20), 'api', 'Mend the ' || (array['login','menu','invoice','検索','予約'])[1 + n % 5] || ' number ' || n, '',
    array['area:' || n % 50, (array['bug','feature','docs'])[1 + n % 3]], (array['P0','P1','P2'])[1 + n % 3],
    now() + n * interval '1 second', now() + n * interval '1 second', '{"version":1,"steps":[]}',
    case when n % 100 = 0 then 'failed' when n % 500 = 1 then 'running' when n % 500 = 2 then 'queued' else 'done' end,
    case when n % 500 in (1, 2) then null else now() end, now() - (${ROWS} - n) * interval '1 second', now() - (${ROWS} - n) * interval '1 second'
  from generate_series(1, ${ROWS}) n;
analyze miyabi.tasks`;

export async function measureList(note: (text: string) => void): Promise<readonly Result[]> {
  const opened = await openBenchDatabase(4);
  try {
    note(`${ROWS} tasks are written`);
    for (const statement of FILL.split(";")) await opened.database.query(statement);
    const { list } = createTaskQueries({
      database: opened.database,
      costs: {
        ofTasks: () => Promise.resolve(new Map()),
        ofRuns: () => Promise.resolve(new Map()),
        perSpan: () => Promise.resolve([]),
      },
      team: { slots: () => Promise.resolve([]), cannotRun: () => Promise.resolve(null) },
    });
    const filters: Readonly<Record<string, Partial<TaskFilter>>> = {
      "no filter": {},
      state: { state: ["failed"] },
      class: { class: ["P0"] },
      repository: { repository: "r7" },
      label: { label: "area:7" },
      "words of a title": { q: "invoice" },
      "a rare word": { q: "number 77777" },
      "a Japanese word": { q: "検索" },
      "by deadline": { order: "deadline" },
      "by update": { order: "updated" },
    };
    const all: number[] = [];
    const worst: Result[] = [];
    for (const [name, filter] of Object.entries(filters)) {
      const times: number[] = [];
      const ask = () => list({ order: "newest", limit: 50, ...filter });
      await ask();
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = performance.now();
        await ask();
        times.push(performance.now() - started);
      }
      all.push(...times);
      worst.push(
        atMost(20, {
          name: `list of ${ROWS} tasks, ${name}, p99`,
          value: percentile(times, 0.99),
          unit: "ms",
        }),
      );
    }
    return [
      atMost(20, { name: `list of ${ROWS} tasks, p99`, value: percentile(all, 0.99), unit: "ms" }),
      ...worst,
    ];
  } finally {
    await opened.close();
  }
}

import { expect, onTestFinished, test, vi } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import type { RunState, TranscriptItem } from "../contract/index.ts";
import { createNotifier, type Database } from "../store/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { readLogs } from "./read-logs.ts";
import { appendTranscript, followTranscripts, readTranscript, type TranscriptNews } from "./transcripts.ts";

const R1 = { runId: "R1", attempt: 1 } as const;
const said = (seq: number, text = `line ${seq}`): TranscriptItem => ({
  seq,
  at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(),
  body: { kind: "text", text },
});
const range = (from: number, to: number): TranscriptItem[] =>
  Array.from({ length: to - from + 1 }, (_, index) => said(from + index));

/** A database with the running run R1 of T1 in the slot `kaede`, and R2 of T2. */
async function setup() {
  const { database, connectionUrl } = await createTestDatabase();
  await database.query(`
    insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main');
    insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow)
      select 'r', 'api', 'Title ' || n, '', 'P2', now(), now(), '{}' from generate_series(1, 2) n;
    insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, cause, job_id, state, slot)
      values ('T1', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid(), 'running', 'kaede'),
             ('T2', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid(), 'running', 'sakura')`);
  return { database, connectionUrl };
}

const setState = (database: Database, state: RunState) =>
  database.query("update miyabi.runs set state = $1 where id = 'R1'", [state]);
const page = (database: Database, after = 0, limit = 100) =>
  readTranscript(database, { runId: "R1", after, limit });

test("a repeated report is stored once, and the first one counts", async () => {
  const { database } = await setup();
  expect(await appendTranscript(database, { ...R1, items: range(1, 3) })).toBe(3);
  expect(await appendTranscript(database, { ...R1, items: [said(2, "changed"), ...range(3, 5)] })).toBe(5);
  expect((await page(database))?.items).toEqual(range(1, 5));
  expect(await appendTranscript(database, { ...R1, items: [] })).toBe(5);
});

test("what comes after a gap is stored, but acknowledged only once the gap is filled", async () => {
  const { database } = await setup();
  expect(await appendTranscript(database, { ...R1, items: range(2, 3) })).toBe(0);
  expect(await appendTranscript(database, { ...R1, items: [said(1)] })).toBe(3);
  expect(await appendTranscript(database, { ...R1, items: range(6, 9) })).toBe(3);
  expect(await appendTranscript(database, { ...R1, items: [said(5)] })).toBe(3);
  expect(await appendTranscript(database, { ...R1, items: [said(4)] })).toBe(9);
});

test("reports at the same time lose nothing", async () => {
  const { database } = await setup();
  await Promise.all(
    [range(1, 40), range(21, 60), range(41, 80), range(1, 80)].map((items) =>
      appendTranscript(database, { ...R1, items }),
    ),
  );
  expect(await appendTranscript(database, { ...R1, items: [] })).toBe(80);
});

test("a late writer changes nothing and is told so", async () => {
  const { database } = await setup();
  await appendTranscript(database, { ...R1, items: range(1, 2) });
  for (const late of [
    { runId: "R1", attempt: 2 },
    { runId: "R99", attempt: 1 },
  ])
    expect(await appendTranscript(database, { ...late, items: [said(3)] })).toBe("lost");
  for (const state of ["lost", "cancelled"] as const) {
    await setState(database, state);
    expect(await appendTranscript(database, { ...R1, items: [said(3)] }), state).toBe("lost");
  }
  expect((await page(database))?.items).toHaveLength(2);
  // The last words of a run that ended by itself may come after its end.
  await setState(database, "succeeded");
  expect(await appendTranscript(database, { ...R1, items: [said(3)] })).toBe(3);
});

test("what is stored has no control sequences and is cut", async () => {
  const { database } = await setup();
  const nasty = said(1, `\u001b[31mred\u001b[0m\u0000 \u001b]0;title\u0007${"x".repeat(200_000)}`);
  await appendTranscript(database, { ...R1, items: [nasty] });
  const body = (await page(database))?.items[0]?.body;
  const text = body?.kind === "text" ? body.text : "";
  expect(text).toMatch(/^red x+/);
  expect(text).toMatch(/\(\d+ more bytes\)$/);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
});

test("a transcript is read in pages and ends with the run's last item", async () => {
  const { database } = await setup();
  await appendTranscript(database, { ...R1, items: range(1, 5) });
  expect(await page(database, 0, 2)).toMatchObject({ lastSeq: 2, ended: false });
  expect(await page(database, 5)).toEqual({ items: [], lastSeq: 5, ended: false });
  await setState(database, "failed");
  expect(await page(database, 0, 4)).toMatchObject({ lastSeq: 4, ended: false });
  expect(await page(database, 4)).toEqual({ items: [said(5)], lastSeq: 5, ended: true });
  expect(await readTranscript(database, { runId: "R99", after: 0, limit: 10 })).toBeNull();
});

test("readers are told of new items when they are committed, and of nothing else", async () => {
  const { database, connectionUrl } = await setup();
  const notifier = createNotifier({
    connectionUrl,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  const news: TranscriptNews[] = [];
  followTranscripts(notifier, (one) => news.push(one));
  await notifier.start();
  onTestFinished(() => notifier.stop());
  await database
    .transaction(async (tx) => {
      await appendTranscript(tx, { ...R1, items: [said(1)] });
      throw new Error("rolled back");
    })
    .catch(() => {});
  await appendTranscript(database, { ...R1, items: range(1, 2) });
  await appendTranscript(database, { ...R1, items: range(1, 2) });
  await appendTranscript(database, { ...R1, items: [said(3)] });
  await vi.waitFor(() => expect(news).toHaveLength(2), 5000);
  expect(news).toEqual([
    { kind: "appended", runId: "R1", lastSeq: 2 },
    { kind: "appended", runId: "R1", lastSeq: 3 },
  ]);
});

test("logs of all runs are paged from the newest, filtered by task, agent and time", async () => {
  const { database } = await setup();
  await appendTranscript(database, { ...R1, items: range(1, 4) });
  await appendTranscript(database, { runId: "R2", attempt: 1, items: range(1, 4) });
  const first = await readLogs(database, { limit: 5 });
  const second = await readLogs(database, { limit: 5, cursor: first.nextCursor ?? "" });
  expect(second.nextCursor).toBeNull();
  const all = [...second.items, ...first.items].map((item) => `${item.runId} ${item.seq}`);
  expect(all).toEqual([1, 2, 3, 4].flatMap((seq) => [`R1 ${seq}`, `R2 ${seq}`]));
  const of = async (filter: { taskId?: string; slot?: string; since?: Date }) =>
    (await readLogs(database, { ...filter, limit: 50 })).items.length;
  expect(await of({ taskId: "T1" })).toBe(4);
  expect(await of({ slot: "sakura" })).toBe(4);
  expect(await of({ since: new Date(said(3).at) })).toBe(4);
  await expect(readLogs(database, { limit: 5, cursor: "x" })).rejects.toMatchObject({
    code: "input.invalid",
    details: { field: "cursor" },
  });
});

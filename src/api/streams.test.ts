import { connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import type { EventView } from "../contract/index.ts";
import { createGatewayNews } from "../gateway/gateway-news.ts";
import { appendTranscript } from "../logs/index.ts";
import type { Database } from "../store/index.ts";
import { appendEvents } from "../tasks/index.ts";
import { CLI_TOKEN, createApiFixture, type ApiFixture } from "./api-fixture.ts";

interface Message {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

interface Client {
  readonly messages: Message[];
  readonly events: () => readonly EventView[];
  close(): void;
}

const WAIT = { timeout: 10_000, interval: 10 };

async function setup(): Promise<
  ApiFixture & { readonly open: (path: string, lastId?: string) => Promise<Client>; readonly port: number }
> {
  const fixture = await createApiFixture();
  await fixture.server.listen({ host: "127.0.0.1", port: 0 });
  const port = portOf(fixture);
  const open = async (path: string, lastId?: string): Promise<Client> => {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: abort.signal,
      headers: {
        authorization: `Bearer ${CLI_TOKEN}`,
        ...(lastId === undefined ? {} : { "last-event-id": lastId }),
      },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const messages: Message[] = [];
    void read(response, messages).catch(() => {});
    return {
      messages,
      events: () => messages.filter((one) => one.event === "event").map((one) => one.data as EventView),
      close: () => abort.abort(),
    };
  };
  return { ...fixture, open, port };
}

function portOf({ server }: ApiFixture): number {
  const address = server.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function read(response: Response, messages: Message[]): Promise<void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined)
        messages.push({ event: field("event") ?? "", id: field("id") ?? null, data: JSON.parse(data) });
    }
  }
}

const write = (database: Database, n: number): Promise<void> =>
  database.transaction((tx) => appendEvents(tx, [{ type: "system.changed", data: { n } }]));
const numbers = (client: Client): unknown[] => client.events().map((event) => event.data["n"]);

test("a new client is greeted with where it begins, and gets what happens from there on", async () => {
  const { database, open } = await setup();
  await write(database, 1);
  const client = await open("/api/events");
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  expect(client.messages[0]).toMatchObject({
    event: "hello",
    data: { lastId: expect.stringMatching(/^\d+-\d+$/) as string, now: expect.any(String) as string },
  });
  await write(database, 2);
  await vi.waitFor(() => expect(numbers(client)).toEqual([2]), WAIT);
  expect(client.messages.at(-1)?.id).toBe(client.events()[0]?.id);
});

test("a client resumes after its last event, by header or by address, without a gap or a double", async () => {
  const { database, open } = await setup();
  const first = await open("/api/events");
  await write(database, 1);
  await write(database, 2);
  await vi.waitFor(() => expect(numbers(first)).toEqual([1, 2]), WAIT);
  const [one, two] = first.events();
  first.close();
  await write(database, 3);
  const byHeader = await open("/api/events", one?.id);
  const byAddress = await open(`/api/events?after=${two?.id ?? ""}`);
  await write(database, 4);
  await vi.waitFor(() => expect(numbers(byHeader)).toEqual([2, 3, 4]), WAIT);
  await vi.waitFor(() => expect(numbers(byAddress)).toEqual([3, 4]), WAIT);
});

test("events of transactions that commit out of order arrive once each, in the order of their ids", async () => {
  const { database, open } = await setup();
  const client = await open("/api/events");
  let commitFirst = (): void => {};
  const held = new Promise<void>((resolve) => (commitFirst = resolve));
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const slow = database.transaction(async (tx) => {
    await appendEvents(tx, [{ type: "system.changed", data: { n: "slow" } }]);
    begun();
    await held;
  });
  await hasBegun;
  await write(database, 1);
  await write(database, 2);
  commitFirst();
  await slow;
  await vi.waitFor(() => expect(numbers(client)).toEqual(["slow", 1, 2]), WAIT);
});

test("an event behind a transaction that ends without a word is not held back", async () => {
  const { database, open } = await setup();
  const client = await open("/api/events");
  let end = (): void => {};
  const held = new Promise<void>((resolve) => (end = resolve));
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const silent = database
    .transaction(async (tx) => {
      await tx.query("select pg_current_xact_id()");
      begun();
      await held;
      throw new Error("rolled back");
    })
    .catch(() => {});
  await hasBegun;
  await write(database, 1);
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  expect(numbers(client)).toEqual([]);
  end();
  await silent;
  await vi.waitFor(() => expect(numbers(client)).toEqual([1]), { ...WAIT, timeout: 1_000 });
});

test("clients that come and go amid concurrent commits see every event exactly once", async () => {
  const { database, open } = await setup();
  const steady = await open("/api/events");
  const seen: EventView[] = [];
  let done = false;
  const restless = (async () => {
    let client = await open("/api/events");
    while (!done || seen.length < 150) {
      const before = client.events().length;
      if (before >= 7) {
        client.close();
        const events = [...client.events()];
        seen.push(...events);
        client = await open("/api/events", events.at(-1)?.id);
      } else if (done) {
        await vi.waitFor(() => expect(seen.length + client.events().length).toBe(150), WAIT);
        seen.push(...client.events());
      } else await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await vi.waitFor(() => expect(steady.messages[0]?.event).toBe("hello"), WAIT);
  const writers = Array.from({ length: 3 }, async (_, writer) => {
    for (let n = 0; n < 50; n += 1)
      await database.transaction(async (tx) => {
        await appendEvents(tx, [{ type: "system.changed", data: { n: `${writer}-${n}` } }]);
        // Holds some transactions open for longer than others.
        if (systemRandom.fraction() < 0.3) await tx.query("select pg_sleep(0.01)");
      });
  });
  await Promise.all(writers);
  done = true;
  await restless;
  await vi.waitFor(() => expect(steady.events()).toHaveLength(150), WAIT);
  const ids = steady.events().map((event) => event.id);
  expect(new Set(ids).size).toBe(150);
  expect(seen.map((event) => event.id)).toEqual(ids);
  for (const writer of [0, 1, 2])
    expect(numbers(steady).filter((n) => String(n).startsWith(`${writer}-`))).toEqual(
      Array.from({ length: 50 }, (_, n) => `${writer}-${n}`),
    );
});

test("a cursor from the future begins with now", async () => {
  const { database, open } = await setup();
  const client = await open("/api/events", "99999999999-1");
  await write(database, 1);
  await vi.waitFor(() => expect(numbers(client)).toEqual([1]), WAIT);
});

test("new transcript items are signalled", async () => {
  const { database, open } = await setup();
  await insertRun(database);
  const client = await open("/api/events");
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  const item = (seq: number) => ({
    seq,
    at: "2026-01-01T00:00:00Z",
    body: { kind: "text" as const, text: "a" },
  });
  await appendTranscript(database, { runId: "R1", attempt: 1, items: [item(1), item(2)] });
  await vi.waitFor(
    () =>
      expect(client.messages.at(-1)).toMatchObject({
        event: "transcript",
        data: { runId: "R1", lastSeq: 2 },
      }),
    WAIT,
  );
});

test("news of the gateway are signalled, to who listens already and once for many", async () => {
  const { database, open } = await setup();
  const client = await open("/api/events");
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  const news = createGatewayNews({ database, clock: systemClock, log: silentLog });
  onTestFinished(() => news.stop());
  const signals = () => client.messages.filter(({ event }) => event === "gateway");
  for (let count = 0; count < 100; count += 1) news.tell();
  await vi.waitFor(() => expect(signals()).toHaveLength(1), WAIT);
  news.tell();
  await vi.waitFor(() => expect(signals()).toHaveLength(2), WAIT);
  expect(signals()[1]).toMatchObject({ data: {} });
});

test("a pane is streamed, and one that does not exist is a problem instead", async () => {
  const { open, port } = await setup();
  const client = await open("/api/agents/kaede/screen/stream");
  await vi.waitFor(
    () => expect(client.messages[0]).toMatchObject({ event: "screen", data: { content: "hello" } }),
    WAIT,
  );
  const none = await fetch(`http://127.0.0.1:${port}/api/agents/nobody/screen/stream`, {
    headers: { authorization: `Bearer ${CLI_TOKEN}` },
  });
  expect(none.status).toBe(404);
});

test("a client that reads nothing holds nobody up, and costs no more than its socket", async () => {
  const { database, open, port } = await setup();
  const deaf = connect(port, "127.0.0.1");
  onTestFinished(() => void deaf.destroy());
  deaf.pause();
  deaf.write(`GET /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${CLI_TOKEN}\r\n\r\n`);
  const client = await open("/api/events");
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  const filler = "x".repeat(100_000);
  for (let n = 0; n < 200; n += 1)
    await database.transaction((tx) => appendEvents(tx, [{ type: "system.changed", data: { n, filler } }]));
  await vi.waitFor(() => expect(client.events()).toHaveLength(200), WAIT);
});

test("signing out ends the session's streams", async () => {
  const { port, sessions } = await setup();
  const { code } = await sessions.createLoginCode({ name: "browser", permissions: ["view"] });
  const { token } = await sessions.redeem(code);
  const headers = { cookie: `miyabi_session_${port}=${token}`, origin: `http://127.0.0.1:${port}` };
  const stream = await fetch(`http://127.0.0.1:${port}/api/events`, { headers });
  expect(stream.status).toBe(200);
  const logout = await fetch(`http://127.0.0.1:${port}/api/logout`, { method: "POST", headers });
  expect(await logout.json()).toEqual({ signedIn: false });
  expect(await stream.text()).toContain("event: hello");
});

test("closing the server ends every stream", async () => {
  const { server, open } = await setup();
  const client = await open("/api/events");
  await vi.waitFor(() => expect(client.messages[0]?.event).toBe("hello"), WAIT);
  const started = performance.now();
  await server.close();
  expect(performance.now() - started).toBeLessThan(2_000);
});

async function insertRun(database: Database): Promise<void> {
  await database.query(`
    insert into miyabi.repositories (id, name, path, target_branch) values ('p', 'p', '/p', 'main');
    insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow)
      values ('p', 'api', 't', '', 'P1', now(), now(), '{}');
    insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, cause, job_id, state)
      values ('T1', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid(), 'running')`);
}

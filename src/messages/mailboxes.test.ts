import { describe, expect, test, vi } from "vitest";
import { MESSAGES_CHANNEL } from "./mailboxes.ts";
import { setupMessages, type MessagesBundle } from "./messages-fixture.ts";

const to = (recipient: string, body: string) => ({ sender: "kaede", recipient, taskId: "T1", body });
const take = ({ mailboxes }: MessagesBundle, session = "sakura", again = false) =>
  mailboxes.take({ recipients: ["sakura", "review"], session, again });
const bodies = async (messages: Promise<readonly { readonly body: string }[]>) =>
  (await messages).map(({ body }) => body);

async function endPauses({ database }: MessagesBundle): Promise<void> {
  await database.query("update miyabi.messages set retry_at = now() where retry_at is not null");
}

describe("sending", () => {
  test("numbers are gapless per recipient, whatever is sent at once or rolled back", async () => {
    const bundle = await setupMessages();
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        if (index % 4 !== 0)
          return bundle.mailboxes.send(to(index % 2 === 0 ? "sakura" : "person", `m${index}`));
        const failing = bundle.database.transaction(async (tx) => {
          await bundle.mailboxes.sendIn(tx, to("sakura", "never"));
          throw new Error("rolled back");
        });
        return expect(failing).rejects.toThrow("rolled back");
      }),
    );
    for (const [recipient, count] of [
      ["sakura", 10],
      ["person", 20],
    ] as const) {
      const { items } = await bundle.mailboxes.list({ recipient, limit: 50 });
      expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => count - index));
    }
  });

  test("the same key is the same message", async () => {
    const { mailboxes } = await setupMessages();
    const first = await mailboxes.send({ ...to("sakura", "one"), dedupeKey: "k" });
    expect(await mailboxes.send({ ...to("sakura", "two"), dedupeKey: "k" })).toEqual(first);
    expect((await mailboxes.send(to("sakura", "three"))).seq).toBe(2);
  });

  test("a send is announced when it commits, and recorded in the history", async () => {
    const { mailboxes, notifier, database } = await setupMessages();
    const heard: string[] = [];
    notifier.subscribe(MESSAGES_CHANNEL, (one) => void (one.kind === "notified" && heard.push(one.payload)));
    // LISTEN of a channel that is new to a running notifier takes effect a moment later.
    await vi.waitUntil(async () => {
      await mailboxes.send(to("sakura", "one"));
      return heard.includes("sakura");
    });
    const { rows } = await database.query(
      "select type, task_id, data from miyabi.events order by id limit 1",
    );
    expect(rows[0]).toMatchObject({ type: "message.changed", task_id: "T1", data: { state: "queued" } });
  });
});

describe("taking", () => {
  test("gives both mailboxes in the order of sending, each message once", async () => {
    const bundle = await setupMessages();
    for (const [box, body] of ["sakura", "review", "sakura"].map((box, index) => [box, `m${index}`] as const))
      await bundle.mailboxes.send(to(box, body));
    await bundle.mailboxes.send(to("kaede", "not for her"));
    const taken = await take(bundle);
    expect(taken.map(({ body, state, attempts }) => [body, state, attempts])).toEqual([
      ["m0", "delivered", 1],
      ["m1", "delivered", 1],
      ["m2", "delivered", 1],
    ]);
    expect(await take(bundle)).toEqual([]);
    expect(await bodies(take(bundle, "sakura", true))).toEqual(["m0", "m1", "m2"]);
  });

  test("nothing overtakes a message that another session has", async () => {
    const bundle = await setupMessages();
    await bundle.mailboxes.send(to("sakura", "first"));
    await take(bundle, "sakura");
    await bundle.mailboxes.send(to("sakura", "second"));
    expect(await take(bundle, "sakura-2", true)).toEqual([]);
    expect(await bodies(take(bundle, "sakura"))).toEqual(["second"]);
  });

  test("two sessions at once never get the same message", async () => {
    const bundle = await setupMessages();
    for (let index = 0; index < 10; index += 1) await bundle.mailboxes.send(to("review", `m${index}`));
    const taken = await Promise.all(["a", "b", "c", "d"].map((session) => take(bundle, session)));
    expect(taken.flat()).toHaveLength(10);
  });

  test("acknowledged messages do not come again, and only their recipient acknowledges them", async () => {
    const bundle = await setupMessages();
    const { id } = await bundle.mailboxes.send(to("sakura", "one"));
    await take(bundle);
    expect(await bundle.mailboxes.acknowledge({ ids: [id], recipients: ["kaede"] })).toEqual([]);
    const acknowledge = () => bundle.mailboxes.acknowledge({ ids: [id, "M999"], recipients: ["sakura"] });
    expect(await acknowledge()).toEqual([id]);
    expect(await acknowledge()).toEqual([id]);
    expect(await take(bundle, "sakura", true)).toEqual([]);
    const { items } = await bundle.mailboxes.list({ limit: 5, state: "acknowledged" });
    expect(items[0]?.acknowledgedAt).not.toBeNull();
  });
});

describe("redelivery", () => {
  test("an expired lease brings the message back after a pause, with what came behind it, in order", async () => {
    const bundle = await setupMessages();
    await bundle.mailboxes.send(to("sakura", "first"));
    await take(bundle);
    await bundle.expire();
    await bundle.mailboxes.send(to("sakura", "second"));
    await bundle.mailboxes.tick();
    expect(await take(bundle)).toEqual([]);
    await endPauses(bundle);
    expect(await bodies(take(bundle, "another"))).toEqual(["first", "second"]);
  });

  test("what was delivered behind an expired message is delivered again after it, uncounted", async () => {
    const bundle = await setupMessages();
    const first = await bundle.mailboxes.send(to("sakura", "first"));
    await take(bundle);
    await bundle.mailboxes.send(to("sakura", "second"));
    await take(bundle);
    await bundle.database.query(
      "update miyabi.messages set leased_until = now() - interval '1 s' where id = $1",
      [first.id],
    );
    await bundle.mailboxes.tick();
    await endPauses(bundle);
    const again = await take(bundle);
    expect(again.map(({ body, attempts }) => [body, attempts])).toEqual([
      ["first", 2],
      ["second", 1],
    ]);
  });

  test("after the last attempt a message is dead with its reason, and the next one goes on", async () => {
    const bundle = await setupMessages();
    await bundle.mailboxes.send(to("sakura", "poison"));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(await bodies(take(bundle))).toEqual(["poison"]);
      await bundle.expire();
      await bundle.mailboxes.tick();
      await endPauses(bundle);
    }
    await bundle.mailboxes.send(to("sakura", "next"));
    expect(await bodies(take(bundle))).toEqual(["next"]);
    const { rows } = await bundle.database.query(
      "select dead_reason from miyabi.messages where state = 'dead'",
    );
    expect(rows).toEqual([{ dead_reason: "Not acknowledged after 3 deliveries." }]);
  });

  test("a session that renews keeps its messages, one that ends gives them back at once", async () => {
    const bundle = await setupMessages();
    await bundle.mailboxes.send(to("sakura", "one"));
    await take(bundle);
    await bundle.database.query("update miyabi.messages set leased_until = now() + interval '1 s'");
    await bundle.mailboxes.renew("sakura");
    const { rows } = await bundle.database.query<{ long: boolean }>(
      "select leased_until > now() + interval '30 s' as long from miyabi.messages",
    );
    expect(rows[0]?.long).toBe(true);
    await bundle.mailboxes.release("sakura");
    expect((await take(bundle, "sakura-2")).map(({ attempts }) => attempts)).toEqual([1]);
  });
});

test("lists are paged without a gap and refuse a foreign cursor", async () => {
  const { mailboxes } = await setupMessages();
  for (let index = 0; index < 5; index += 1) await mailboxes.send(to("sakura", `m${index}`));
  const seen: string[] = [];
  for (let cursor: string | undefined, more = true; more;) {
    const page = await mailboxes.list({ limit: 2, cursor, taskId: "T1" });
    seen.push(...page.items.map(({ body }) => body));
    cursor = page.nextCursor ?? undefined;
    more = page.nextCursor !== null;
  }
  expect(seen).toEqual(["m4", "m3", "m2", "m1", "m0"]);
  await expect(mailboxes.list({ limit: 2, cursor: "x'" })).rejects.toMatchObject({ code: "input.invalid" });
});

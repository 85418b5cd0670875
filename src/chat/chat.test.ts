import { expect, test, vi } from "vitest";
import { createChatFixture, MIKA, type ChatFixture } from "./chat-fixture.ts";
import type { Said } from "./conversation.ts";
import type { ChatSignal } from "./thread-feed.ts";

const PLAIN = { persona: null, model: null, trimTokens: null, reflect: false };

async function begin(fixture: ChatFixture, persona: string | null = null) {
  const { chat } = fixture;
  const { id } = await chat.create(MIKA, { ...PLAIN, persona });
  const say = (content: string, more: Partial<Said> = {}) =>
    chat.post({ owner: MIKA, threadId: id, content, parentId: undefined, attachmentIds: [], ...more }, null);
  return { id, say };
}

const textOf = (fixture: ChatFixture, id: string, least: string) =>
  vi.waitUntil(
    async () => {
      const last = (await fixture.read(id)).messages.at(-1);
      return last?.content.startsWith(least) === true ? last : null;
    },
    { timeout: 5_000, interval: 10 },
  );

test("an answer comes through the gateway, and the ledger says what it cost", async () => {
  const fixture = await createChatFixture();
  const { id, say } = await begin(fixture);
  const added = await say("Hi");
  expect(added.messages.map(({ role, state }) => [role, state])).toEqual([
    ["user", "complete"],
    ["assistant", "streaming"],
  ]);
  const answer = await fixture.ended(id);
  expect(answer).toMatchObject({ state: "complete", content: "Hello there.", model: "gpt-5", attempt: 1 });
  const counted = await vi.waitUntil(async () => {
    const last = (await fixture.read(id)).messages.at(-1);
    return last?.tokensIn === null ? null : last;
  });
  expect(counted).toMatchObject({ tokensIn: 12, tokensOut: 2 });
  expect((await fixture.chat.read(MIKA, id)).thread).toMatchObject({ title: "Hi", answering: false });
  const { rows } = await fixture.database.query("select name, kind from miyabi.gateway_keys");
  expect(rows).toEqual([{ name: "chat of mika", kind: "person" }]);
});

test("the conversation so far and the persona are what the model is asked", async () => {
  const fixture = await createChatFixture();
  await fixture.writePersona(
    "a.yaml",
    "name: Ada\nstyle: Short.\nforbid: [never]\nnotes: Likes tea.\nmodel: gpt-5-mini\n",
  );
  const names = () => fixture.chat.personas().items.map(({ name }) => name);
  await vi.waitUntil(() => names().includes("Ada"), { timeout: 5_000 });
  const { id, say } = await begin(fixture, "ada");
  await say("one");
  await fixture.ended(id);
  await say("two");
  await fixture.ended(id);
  const call = fixture.model.calls.at(-1);
  expect(call?.model).toBe("gpt-5-mini");
  expect(call?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(call?.messages[0]?.content).toMatch(/"Ada"[^]*Short\.[^]*Likes tea\.[^]*- never/);
});

test("a stopped answer keeps what had come, and the provider is told at once", async () => {
  const fixture = await createChatFixture();
  fixture.model.reply = () => ["one ", "two ", "three"];
  fixture.model.holdAfter = 2;
  const { id, say } = await begin(fixture);
  const { messages } = await say("Count");
  await textOf(fixture, id, "one two ");
  const stopped = await fixture.chat.stop(MIKA, messages[1]?.id ?? "");
  expect(stopped).toMatchObject({ state: "stopped", content: "one two " });
  await fixture.model.calls[0]?.aborted;
  expect(await fixture.chat.stop(MIKA, stopped.id)).toMatchObject({ state: "stopped", content: "one two " });
});

test("an answer ends before a phrase that its persona forbids; the phrase is neither shown nor stored", async () => {
  const fixture = await createChatFixture();
  await fixture.writePersona("a.yaml", "name: Ada\nstyle: Short.\nforbid: [絶対に大丈夫]\n");
  await vi.waitUntil(() => fixture.chat.personas().items.length === 1, { timeout: 5_000 });
  fixture.model.reply = () => ["それは", "絶対", "に大", "丈夫です。", "さて"];
  const { id, say } = await begin(fixture, "Ada");
  await say("?");
  const answer = await fixture.ended(id);
  expect(answer).toMatchObject({
    state: "withheld",
    content: "それは",
    reason: { code: "chat.forbidden", params: { persona: "Ada", phrase: "絶対に大丈夫" } },
  });
  const { rows } = await fixture.database.query("select count(*)::int as chunks from miyabi.chat_chunks");
  expect(rows).toEqual([{ chunks: 0 }]);
});

test("an answer whose control plane died is gone on with by the next one, where it broke off", async () => {
  const fixture = await createChatFixture();
  fixture.model.reply = ({ messages }) =>
    messages.at(-2)?.content === "one two " ? ["three ", "four"] : ["one ", "two ", "lost"];
  fixture.model.holdAfter = 2;
  const { id, say } = await begin(fixture);
  await say("Count");
  await textOf(fixture, id, "one two ");
  fixture.model.holdAfter = null;
  // The same installation: it knows that its last control plane is dead, and does not wait for the lease.
  await fixture.second();
  const answer = await fixture.ended(id);
  expect(answer).toMatchObject({ state: "complete", content: "one two three four", attempt: 2 });
  // What the first one still gets to hear changes nothing.
  fixture.model.release();
  await fixture.model.calls[0]?.ended;
  expect((await fixture.read(id)).messages.at(-1)?.content).toBe("one two three four");
});

test("an answer that is interrupted again and again is given up", async () => {
  const fixture = await createChatFixture();
  fixture.model.holdAfter = 0;
  const { id, say } = await begin(fixture);
  await say("Hi");
  await vi.waitUntil(() => fixture.model.calls.length === 1);
  await fixture.database.query("update miyabi.chat_messages set attempt = 4 where state = 'streaming'");
  await fixture.second();
  expect(await fixture.ended(id)).toMatchObject({ state: "failed", reason: { code: "chat.interrupted" } });
});

test("a long thread is trimmed to its budget, and the figures say by how much", async () => {
  const fixture = await createChatFixture();
  const { id, say } = await begin(fixture);
  for (let turn = 0; turn < 4; turn += 1) {
    await say(`${turn} ${"words and more words ".repeat(150)}`);
    await fixture.ended(id);
  }
  await fixture.chat.change(MIKA, id, { trimTokens: 1024 });
  await say("And now?");
  await fixture.ended(id);
  expect(fixture.model.calls[3]?.messages).toHaveLength(7);
  expect(fixture.model.calls.at(-1)?.messages.length).toBeLessThan(9);
  expect(fixture.model.calls.at(-1)?.messages.at(-1)?.content).toBe("And now?");
  const counted = await vi.waitUntil(async () => {
    const last = (await fixture.read(id)).messages.at(-1);
    return last?.tokensIn === null ? null : last;
  });
  expect(counted?.compressRatio).toBeGreaterThan(0);
  expect(counted?.compressRatio).toBeLessThan(0.9);
});

test("a reflected answer is drafted, criticised and written anew; only the last is shown", async () => {
  const fixture = await createChatFixture();
  const replies = [["a draft"], ["too ", "short"], ["the final ", "answer"]];
  fixture.model.reply = () => replies[fixture.model.calls.length - 1] ?? [];
  const { id, say } = await begin(fixture);
  await fixture.chat.change(MIKA, id, { reflect: true });
  await say("Explain");
  expect(await fixture.ended(id)).toMatchObject({
    state: "complete",
    content: "the final answer",
  });
  const [, critique, final] = fixture.model.calls.map(({ messages }) => messages);
  expect(critique?.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(critique?.[1]?.content).toBe("a draft");
  expect(final?.at(-1)?.content).toContain("too short");
  const counted = await vi.waitUntil(async () => {
    const last = (await fixture.read(id)).messages.at(-1);
    return last?.tokensIn === null ? null : last;
  });
  expect(counted?.steps).toEqual([
    { name: "draft", tokensIn: 12, tokensOut: 1 },
    { name: "critique", tokensIn: 12, tokensOut: 2 },
    { name: "final", tokensIn: 12, tokensOut: 2 },
  ]);
  expect(counted).toMatchObject({ tokensIn: 36, tokensOut: 5 });
});

test("a reflected answer can be stopped while it is drafted", async () => {
  const fixture = await createChatFixture();
  await fixture.writePersona("a.yaml", "name: Ada\nstyle: Short.\nchain: reflect\n");
  await vi.waitUntil(() => fixture.chat.personas().items.length === 1, { timeout: 5_000 });
  fixture.model.holdAfter = 0;
  const { say } = await begin(fixture, "Ada");
  const { messages } = await say("Explain");
  await vi.waitUntil(() => fixture.model.calls.length === 1, { timeout: 5_000 });
  expect(await fixture.chat.stop(MIKA, messages[1]?.id ?? "")).toMatchObject({
    state: "stopped",
    content: "",
  });
  await fixture.model.calls[0]?.aborted;
  expect(fixture.model.calls).toHaveLength(1);
});

test("what a provider says against it is said, and the answer can be tried again", async () => {
  const fixture = await createChatFixture();
  fixture.model.reply = () => ({ status: 400, message: "no such model" });
  const { id, say } = await begin(fixture);
  await say("Hi");
  const failed = await fixture.ended(id);
  expect(failed).toMatchObject({
    state: "failed",
    content: "",
    reason: { code: "chat.model_failed", message: expect.stringContaining("no such model") },
  });
  fixture.model.reply = () => ["fine"];
  await fixture.chat.regenerate(MIKA, failed.id);
  expect(await fixture.ended(id)).toMatchObject({ state: "complete", parentId: failed.parentId });
});

test("an edited message and a new answer are branches, and each can be shown again", async () => {
  const fixture = await createChatFixture();
  const { id, say } = await begin(fixture);
  const first = await say("one");
  await fixture.ended(id);
  await say("one, follow-up");
  await fixture.ended(id);
  await say("two", { parentId: null });
  await fixture.ended(id);
  expect(fixture.model.calls.at(-1)?.messages.map(({ content }) => content)).toEqual(["two"]);
  const [question, answer] = first.messages;
  const shown = await fixture.chat.change(MIKA, id, { branch: question?.id });
  const follow = (await fixture.read(id)).messages[3];
  expect(shown.leafId).toBe(follow?.id);
  const again = await fixture.chat.regenerate(MIKA, answer?.id ?? "");
  expect(again.messages[0]?.parentId).toBe(question?.id);
  expect(again.thread.leafId).toBe(again.messages[0]?.id);
});

test("two people cannot see each other's threads, nor two answers be written in one", async () => {
  const fixture = await createChatFixture();
  fixture.model.holdAfter = 0;
  const { id, say } = await begin(fixture);
  const added = await say("Hi");
  await expect(say("Again")).rejects.toMatchObject({ code: "conflict.state" });
  await expect(fixture.chat.read("taro", id)).rejects.toMatchObject({ code: "not_found" });
  await expect(fixture.chat.stop("taro", added.messages[1]?.id ?? "")).rejects.toMatchObject({
    code: "not_found",
  });
  expect((await fixture.chat.list({ owner: "taro", limit: 10, cursor: null, q: null })).items).toEqual([]);
});

test("a search finds titles and what was said, in any script and whatever the case", async () => {
  const fixture = await createChatFixture();
  fixture.model.reply = () => ["消費税は 10 % です。"];
  const first = await begin(fixture);
  await first.say("Prices with TAX?");
  await fixture.ended(first.id);
  await begin(fixture);
  const search = async (q: string) =>
    (await fixture.chat.list({ owner: MIKA, limit: 10, cursor: null, q })).items.map(({ id, found }) => [
      id,
      found,
    ]);
  expect(await search("tax")).toEqual([[first.id, null]]);
  expect(await search("消費税")).toEqual([[first.id, "消費税は 10 % です。"]]);
  expect(await search("nothing of the kind")).toEqual([]);
  const page = await fixture.chat.list({ owner: MIKA, limit: 1, cursor: null, q: null });
  const next = await fixture.chat.list({ owner: MIKA, limit: 1, cursor: page.nextCursor, q: null });
  expect([...page.items, ...next.items].map(({ id }) => id)).toEqual(["C2", "C1"]);
  expect(next.nextCursor).toBe(null);
});

test("texts and images go to the model; what is neither is refused", async () => {
  const fixture = await createChatFixture();
  const { chat } = fixture;
  const upload = (name: string, content: Buffer) => chat.upload({ owner: MIKA, name, content });
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==",
    "base64",
  );
  const text = await upload("../notes.md", Buffer.from("# Notes"));
  const image = await upload("dot.png", png);
  expect([text, image]).toMatchObject([
    { name: "notes.md", mediaType: "text/plain", sizeBytes: 7 },
    { name: "dot.png", mediaType: "image/png" },
  ]);
  await expect(upload("a.bin", Buffer.from([0, 1, 2]))).rejects.toMatchObject({ code: "input.invalid" });
  await expect(upload("big.txt", Buffer.alloc(300_000, "a"))).rejects.toMatchObject({
    code: "input.too_large",
  });
  const { id, say } = await begin(fixture);
  await expect(
    chat.post(
      {
        owner: "taro",
        threadId: (await chat.create("taro", PLAIN)).id,
        content: "x",
        parentId: undefined,
        attachmentIds: [text.id],
      },
      null,
    ),
  ).rejects.toMatchObject({ code: "input.invalid" });
  await say("Look", { attachmentIds: [text.id, image.id] });
  await fixture.ended(id);
  expect(fixture.model.calls[0]?.messages[0]?.content).toEqual([
    { type: "text", text: '<file name="notes.md">\n# Notes\n</file>\n\nLook' },
    { type: "image_url", image_url: { url: `data:image/png;base64,${png.toString("base64")}` } },
  ]);
  expect(await chat.attachment("taro", image.id)).toBe(null);
  await chat.remove(MIKA, id);
  await expect(chat.read(MIKA, id)).rejects.toMatchObject({ code: "not_found" });
});

test("slash commands make tasks, ask agents and change the persona, without a model", async () => {
  const fixture = await createChatFixture();
  await fixture.writePersona("a.yaml", "name: Ada\nstyle: Short.\n");
  await vi.waitUntil(() => fixture.chat.personas().items.length === 1, { timeout: 5_000 });
  const { id, say } = await begin(fixture);
  await say("Prices need tax");
  await fixture.ended(id);
  const task = await say("/task Show prices with tax");
  expect(task.messages[1]).toMatchObject({
    role: "note",
    note: { kind: "task", taskId: "T1", title: "Show prices with tax", repositoryName: "menu-card" },
  });
  expect(fixture.tasks[0]?.body).toMatch(/## You[^]*Prices need tax[^]*Hello there\./);
  expect((await say("/ask kaede How far are you?")).messages[1]?.note).toEqual({
    kind: "asked",
    slot: "kaede",
    text: "How far are you?",
  });
  expect(fixture.told).toEqual([{ agent: "kaede", text: "How far are you?", from: MIKA }]);
  expect((await say("/persona ada")).thread.persona).toBe("Ada");
  expect((await say("/persona none")).thread.persona).toBe(null);
  await expect(say("/persona nobody")).rejects.toMatchObject({ message: expect.stringContaining("Ada") });
  await expect(say("/dance")).rejects.toMatchObject({ code: "input.invalid" });
  await expect(say("/ask nobody hello")).rejects.toMatchObject({ code: "not_found" });
  await say("//etc is a path");
  await fixture.ended(id);
  const asked = fixture.model.calls.at(-1)?.messages.map(({ content }) => content);
  expect(asked).toEqual(["Prices need tax", "Hello there.", "/etc is a path"]);
});

test("who watches gets every piece once, and goes on after the last id", async () => {
  const fixture = await createChatFixture();
  fixture.model.reply = () => ["one ", "two ", "three ", "four"];
  fixture.model.holdAfter = 2;
  const { id, say } = await begin(fixture);
  const seen: ChatSignal[] = [];
  let wakes = 0;
  const follow = (after: { messageId: string; offset: number } | null) => {
    const follower = fixture.chat.feed.follow(id, after, () => (wakes += 1));
    const work = async () => {
      const signals: ChatSignal[] = [];
      const state = await follower.work((signal) => {
        signals.push(signal);
        seen.push(signal);
        return Promise.resolve();
      });
      return { state, signals };
    };
    return { work, end: follower.end };
  };
  const first = follow(null);
  expect((await first.work()).signals).toEqual([{ event: "hello", data: {} }]);
  const answerId = (await say("Count")).messages[1]?.id ?? "";
  const known = () => {
    const last = seen.at(-1);
    return last?.event === "text" ? last.data.from + last.data.text.length : 0;
  };
  await vi.waitUntil(
    async () => {
      await first.work();
      return known() === 8;
    },
    { timeout: 5_000, interval: 10 },
  );
  first.end();
  expect(seen.at(-1)).toMatchObject({ event: "text", id: `${answerId}:8` });
  // A client that has only a part goes on from there.
  const second = follow({ messageId: answerId, offset: 5 });
  expect((await second.work()).signals).toEqual([
    { event: "hello", data: {} },
    { event: "text", data: { messageId: answerId, from: 5, text: "wo " }, id: `${answerId}:8` },
  ]);
  second.end();
  fixture.model.release();
  await fixture.ended(id);
  const third = follow({ messageId: answerId, offset: 8 });
  expect((await third.work()).signals[1]).toMatchObject({
    event: "message",
    data: { id: answerId, state: "complete", content: "one two three four" },
  });
  await fixture.chat.remove(MIKA, id);
  third.end();
  expect((await follow({ messageId: answerId, offset: 8 }).work()).state).toBe("gone");
  expect(wakes).toBeGreaterThan(0);
});

test("a thread can be taken away as Markdown and as JSON", async () => {
  const fixture = await createChatFixture();
  const { id, say } = await begin(fixture);
  await say("お品書き / menu");
  await fixture.ended(id);
  const markdown = await fixture.chat.export(MIKA, id, "markdown");
  expect(markdown.fileName).toBe("お品書き-menu.md");
  expect(markdown.text).toMatch(
    /^# お品書き \/ menu\n\n## You, [^]*## Assistant \(gpt-5\), [^]*Hello there\./,
  );
  const json = JSON.parse((await fixture.chat.export(MIKA, id, "json")).text) as Record<string, unknown>;
  expect(json).toMatchObject({ format: "miyabi-chat/1", thread: { id }, messages: [{}, {}] });
});

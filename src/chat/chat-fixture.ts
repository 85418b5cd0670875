import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { onTestFinished, vi } from "vitest";
import { startChatModel, type ChatModel } from "../../test/support/chat-model.ts";
import { keyTerms, startGateway } from "../../test/support/gateway-under-test.ts";
import { AppError, silentLog, systemClock, systemRandom } from "../base/index.ts";
import type { ChatConversation, ChatMessage } from "../contract/index.ts";
import { createNotifier, type Database } from "../store/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { createChat, type Chat, type ChatParams } from "./chat.ts";

export const MIKA = "mika";

export interface ChatFixture {
  readonly chat: Chat;
  readonly model: ChatModel;
  readonly database: Database;
  readonly personasDir: string;
  readonly tasks: readonly {
    readonly title: string;
    readonly body: string;
    readonly idempotencyKey: string;
  }[];
  readonly told: readonly { readonly agent: string; readonly text: string; readonly from: string }[];
  /** Another control plane over the same database; it is started. */
  second(over?: Partial<ChatParams>): Promise<Chat>;
  writePersona(file: string, text: string): Promise<void>;
  /** The thread's last message once it has ended. */
  ended(threadId: string): Promise<ChatMessage>;
  read(threadId: string): Promise<ChatConversation>;
}

/** A chat over a fresh database, a gateway and a model server of its own. */
export async function createChatFixture(over: Partial<ChatParams> = {}): Promise<ChatFixture> {
  const { database, connectionUrl } = await createTestDatabase({ maxConnections: 12 });
  const model = await startChatModel();
  const gateway = await startGateway({
    database,
    settings: { providers: { openai: { baseUrl: `${model.origin}/v1` } }, retry: { attempts: 1 } },
  });
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const notifier = createNotifier({ ...deps, connectionUrl });
  await notifier.start();
  const personasDir = await mkdtemp(path.join(os.tmpdir(), "miyabi-personas-"));
  const tasks: { title: string; body: string; idempotencyKey: string }[] = [];
  const told: { agent: string; text: string; from: string }[] = [];
  const params: ChatParams = {
    ...deps,
    database,
    notifier,
    settings: { model: "gpt-5" },
    personaDirectories: [personasDir],
    gatewayUrl: gateway.url,
    keySecret: "secret-of-the-test",
    ensureKey: async ({ key, name }) =>
      void (await gateway.gateway.keys.ensure(key, keyTerms({ name, kind: "person" }), "test")),
    holder: "installation-1",
    commands: {
      createTask: ({ title, body, idempotencyKey }) => {
        tasks.push({ title, body, idempotencyKey });
        return Promise.resolve({ taskId: "T1", title, repositoryName: "menu-card" });
      },
      askAgent: ({ agent, text, from }) => {
        if (agent !== "kaede")
          return Promise.reject(new AppError({ code: "not_found", message: "There is no such agent." }));
        told.push({ agent, text, from });
        return Promise.resolve({ slot: agent });
      },
    },
    ...over,
  };
  const begun: Chat[] = [];
  const begin = async (more: Partial<ChatParams>): Promise<Chat> => {
    const one = createChat({ ...params, ...more });
    begun.push(one);
    one.feed.start();
    for (const service of one.services) await service.start();
    return one;
  };
  const chat = await begin({});
  onTestFinished(async () => {
    model.release();
    for (const one of begun) {
      one.feed.stop();
      for (const service of one.services.toReversed()) await service.stop();
    }
    await notifier.stop();
    await gateway.close();
    await model.close();
    await rm(personasDir, { recursive: true, force: true });
  });
  const read = (threadId: string): Promise<ChatConversation> => chat.read(MIKA, threadId);
  return {
    chat,
    model,
    database,
    personasDir,
    tasks,
    told,
    second: (more = {}) => begin(more),
    writePersona: (file, text) => writeFile(path.join(personasDir, file), text),
    ended: (threadId) =>
      vi.waitUntil(
        async () => {
          const last = (await read(threadId)).messages.at(-1);
          return last !== undefined && last.state !== "streaming" ? last : null;
        },
        { timeout: 10_000, interval: 20 },
      ),
    read,
  };
}

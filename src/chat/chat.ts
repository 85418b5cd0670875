import { AppError, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import type {
  AttachmentView,
  ChatConversation,
  ChatMessage,
  ChatNote,
  ChatThread,
  PersonaView,
} from "../contract/index.ts";
import type { Database, Notifier } from "../store/index.ts";
import { stopAnswer } from "./answer-store.ts";
import { readAttachment, storeAttachment, type Attachment } from "./attachments.ts";
import { pathTo } from "./branches.ts";
import { parseCommand, type Command } from "./commands.ts";
import { noteCommand, regenerate, say, showBranch, threadOfMessage, type Said } from "./conversation.ts";
import { exportJson, exportMarkdown, markdownOf, type ExportedFile } from "./export.ts";
import { readMessages } from "./message-rows.ts";
import { listModels } from "./model-call.ts";
import { createPersonKeys, type EnsureKey } from "./person-keys.ts";
import { watchPersonas } from "./personas.ts";
import type { ChatSettings } from "./settings.ts";
import { createThreadFeed, type ThreadFeed } from "./thread-feed.ts";
import {
  changeThread,
  createThread,
  deleteThread,
  listThreads,
  lockThread,
  readThread,
  type ListThreadsParams,
  type ThreadChoice,
} from "./thread-store.ts";
import { createTurns } from "./turns.ts";

/** What slash commands do beyond the chat; both are told the same key again where a command is repeated. */
export interface CommandPorts {
  /** @throws input.invalid where the repository is not named clearly, and what making a task throws */
  createTask(task: {
    /** Name of a registered repository; null: the only one. */
    readonly repository: string | null;
    readonly title: string;
    readonly body: string;
    readonly idempotencyKey: string;
  }): Promise<{ readonly taskId: string; readonly title: string; readonly repositoryName: string }>;
  /** @throws not_found where there is no such agent */
  askAgent(message: {
    readonly agent: string;
    readonly text: string;
    readonly from: string;
    readonly idempotencyKey: string;
  }): Promise<{ readonly slot: string }>;
}

export interface ChatParams {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly settings: Pick<ChatSettings, "model">;
  /** Directories of personas: those that ship, then one's own, which win. */
  readonly personaDirectories: readonly string[];
  readonly gatewayUrl: string;
  readonly keySecret: string;
  readonly ensureKey: EnsureKey;
  /** Name of the installation. */
  readonly holder: string;
  readonly commands: CommandPorts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Chat {
  /** Personas and the writing of answers, in the order of their start. */
  readonly services: readonly Service[];
  readonly feed: ThreadFeed;
  personas(): { readonly items: PersonaView[]; readonly problems: string[] };
  models(owner: string): Promise<{ readonly items: string[]; readonly default: string | null }>;
  list(params: Readonly<ListThreadsParams>): ReturnType<typeof listThreads>;
  create(owner: string, choice: ThreadChoice): Promise<ChatThread>;
  /** @throws not_found, also where the thread is somebody else's */
  require(owner: string, threadId: string): Promise<void>;
  read(owner: string, threadId: string): Promise<ChatConversation>;
  change(owner: string, threadId: string, change: Readonly<ThreadWish>): Promise<ChatThread>;
  remove(owner: string, threadId: string): Promise<void>;
  export(owner: string, threadId: string, format: "markdown" | "json"): Promise<ExportedFile>;
  post(said: Readonly<Said>, idempotencyKey: string | null): Promise<ChatConversation>;
  regenerate(owner: string, messageId: string): Promise<ChatConversation>;
  stop(owner: string, messageId: string): Promise<ChatMessage>;
  upload(given: {
    readonly owner: string;
    readonly name: string;
    readonly content: Buffer;
  }): Promise<AttachmentView>;
  attachment(owner: string, id: string): Promise<Attachment | null>;
}

export interface ThreadWish {
  readonly title?: string | undefined;
  readonly persona?: string | null | undefined;
  readonly model?: string | null | undefined;
  readonly trimTokens?: number | null | undefined;
  readonly reflect?: boolean | undefined;
  readonly branch?: string | undefined;
}

const MODELS_MS = 10_000;
const LONGEST_BRIEF = 150_000;

/** The chat of people with models: threads, personas, and answers that are written whatever dies meanwhile. */
export function createChat(params: Readonly<ChatParams>): Chat {
  const { database, clock, random, log } = params;
  const personas = watchPersonas({ directories: params.personaDirectories, clock, random, log });
  const keyOf = createPersonKeys({ secret: params.keySecret, ensure: params.ensureKey });

  const modelsOf = async (owner: string): Promise<readonly string[]> =>
    listModels({
      gatewayUrl: params.gatewayUrl,
      key: await keyOf(owner),
      signal: AbortSignal.timeout(MODELS_MS),
    });
  const defaultModel = async (owner: string): Promise<string | null> =>
    params.settings.model ?? (await modelsOf(owner))[0] ?? null;

  const turns = createTurns({
    database,
    notifier: params.notifier,
    clock,
    random,
    log,
    holder: params.holder,
    gatewayUrl: params.gatewayUrl,
    findPersona: personas.find,
    keyOf,
    defaultModel,
  });

  /** The persona's own spelling of its name. @throws input.invalid */
  const requirePersona = (name: string): string => {
    const found = personas.find(name);
    if (found !== null) return found.name;
    const known = personas.list().map((one) => one.name);
    throw new AppError({
      code: "input.invalid",
      message: `persona "${name}": there is none of this name; there are ${known.join(", ")}.`,
      details: { field: "persona", value: name },
    });
  };

  const obey = async (said: Readonly<Said>, command: Command, key: string): Promise<ChatNote> => {
    switch (command.name) {
      case "persona":
        return {
          kind: "persona",
          persona: command.persona === null ? null : requirePersona(command.persona),
        };
      case "ask": {
        const { agent, text } = command;
        const { slot } = await params.commands.askAgent({
          agent,
          text,
          from: said.owner,
          idempotencyKey: key,
        });
        return { kind: "asked", slot, text };
      }
      case "task": {
        const thread = await readThread(database, said.owner, said.threadId);
        const messages = await readMessages(database, said.threadId);
        const path = pathTo(messages, said.parentId === undefined ? thread.leafId : said.parentId);
        const title = command.title ?? thread.title;
        if (title === "")
          throw new AppError({
            code: "input.invalid",
            message: "The task needs a title: /task TITLE",
            details: { field: "content" },
          });
        const body = markdownOf(path);
        const made = await params.commands.createTask({
          repository: command.repository,
          title,
          // The newest part says best what is wanted.
          body: body.length <= LONGEST_BRIEF ? body : `…\n\n${body.slice(-LONGEST_BRIEF)}`,
          idempotencyKey: key,
        });
        return { kind: "task", ...made };
      }
    }
  };

  return {
    services: [personas, turns],
    feed: createThreadFeed({ database, notifier: params.notifier }),
    personas: () => ({
      items: personas.list().map(({ name, summary, model, chain, forbid }) => ({
        name,
        summary,
        model,
        chain,
        forbids: forbid.length,
      })),
      problems: [...personas.problems()],
    }),
    models: async (owner) => {
      const items = [...(await modelsOf(owner))];
      return { items, default: params.settings.model ?? items[0] ?? null };
    },
    list: (wanted) => listThreads(database, wanted),
    create: (owner, { persona, ...choice }) =>
      createThread(database, owner, {
        ...choice,
        persona: persona === null ? null : requirePersona(persona),
      }),
    require: async (owner, threadId) => void (await readThread(database, owner, threadId)),
    read: async (owner, threadId) => {
      const thread = await readThread(database, owner, threadId);
      return { thread, messages: await readMessages(database, threadId) };
    },
    change: (owner, threadId, { title, persona, model, trimTokens, reflect, branch }) => {
      const known = persona === undefined || persona === null ? persona : requirePersona(persona);
      return database.transaction(async (tx) => {
        await lockThread(tx, owner, threadId);
        await changeThread(tx, threadId, {
          ...(title === undefined ? {} : { title }),
          ...(known === undefined ? {} : { persona: known }),
          ...(model === undefined ? {} : { model }),
          ...(trimTokens === undefined ? {} : { trimTokens }),
          ...(reflect === undefined ? {} : { reflect }),
        });
        if (branch !== undefined) await showBranch(tx, threadId, branch);
        return readThread(tx, owner, threadId);
      });
    },
    remove: (owner, threadId) => deleteThread(database, owner, threadId),
    export: async (owner, threadId, format) => {
      const thread = await readThread(database, owner, threadId);
      const messages = await readMessages(database, threadId);
      return format === "json" ? exportJson(thread, messages) : exportMarkdown(thread, messages);
    },
    post: async (said, idempotencyKey) => {
      const command = parseCommand(said.content);
      if (command !== null) {
        await readThread(database, said.owner, said.threadId);
        const key = `chat:${said.threadId}:${idempotencyKey ?? random.uuid()}`;
        return noteCommand(database, said, await obey(said, command, key));
      }
      const added = await say(database, said);
      turns.wake();
      return added;
    },
    regenerate: async (owner, messageId) => {
      const added = await regenerate(database, owner, messageId);
      turns.wake();
      return added;
    },
    stop: async (owner, messageId) => {
      const threadId = await threadOfMessage(database, owner, messageId);
      await stopAnswer(database, messageId);
      const [message] = await readMessages(database, threadId, [messageId]);
      if (message === undefined)
        throw new AppError({ code: "not_found", message: `There is no message ${messageId} of yours.` });
      return message;
    },
    upload: (given) => storeAttachment(database, given),
    attachment: (owner, id) => readAttachment(database, owner, id),
  };
}

import { AppError } from "../base/index.ts";
import type { ChatConversation, ChatMessage, ChatNote } from "../contract/index.ts";
import { notify, type Database, type Tx } from "../store/index.ts";
import { linkAttachments } from "./attachments.ts";
import { newestLeaf } from "./branches.ts";
import { firstLine, plainText } from "./commands.ts";
import { readMessages } from "./message-rows.ts";
import { CHAT_CHANNEL } from "./news.ts";
import { changeThread, lockThread, readThread } from "./thread-store.ts";

const MOST_MESSAGES = 2_000;
const LONGEST_TITLE = 60;

export interface Said {
  readonly owner: string;
  readonly threadId: string;
  readonly content: string;
  /** Undefined: the branch that is shown. */
  readonly parentId: string | null | undefined;
  readonly attachmentIds: readonly string[];
}

/**
 * Adds what a person says and the answer that is to be written, in one transaction: whoever dies afterwards, the answer
 * is taken up by the next who looks.
 * @throws not_found, input.invalid, conflict.state where an answer is being written or the thread is full
 */
export async function say(database: Database, said: Readonly<Said>): Promise<ChatConversation> {
  return database.transaction(async (tx) => {
    const user = await addUserMessage(tx, said, plainText(said.content));
    const answer = await addAnswer(tx, said.threadId, user);
    await changeThread(tx, said.threadId, { leafId: answer, used: true });
    return answerWith(tx, said.owner, said.threadId, [user, answer]);
  });
}

/** Adds a slash command and what it did. Nothing is asked of a model. */
export async function noteCommand(
  database: Database,
  said: Readonly<Said>,
  note: ChatNote,
): Promise<ChatConversation> {
  return database.transaction(async (tx) => {
    const user = await addUserMessage(tx, said, said.content.trim());
    const added = await insert(tx, {
      threadId: said.threadId,
      parentId: user,
      role: "note",
      state: "complete",
      content: "",
      note,
    });
    await changeThread(tx, said.threadId, {
      leafId: added,
      used: true,
      ...(note.kind === "persona" ? { persona: note.persona } : {}),
    });
    return answerWith(tx, said.owner, said.threadId, [user, added]);
  });
}

/** Has an answer written again, beside the one there is. @throws not_found, input.invalid, conflict.state */
export async function regenerate(
  database: Database,
  owner: string,
  messageId: string,
): Promise<ChatConversation> {
  return database.transaction(async (tx) => {
    const threadId = await threadOfMessage(tx, owner, messageId);
    const thread = await lockThread(tx, owner, threadId);
    requireRest(thread.answering);
    await requireRoom(tx, threadId);
    const { rows } = await tx.query<{ role: string; parent_id: string | null }>(
      "select role, parent_id from miyabi.chat_messages where id = $1",
      [messageId],
    );
    const row = rows[0];
    if (row?.role !== "assistant" || row.parent_id === null)
      throw new AppError({
        code: "input.invalid",
        message: `${messageId} is no answer, so it cannot be written again.`,
      });
    const answer = await addAnswer(tx, threadId, row.parent_id);
    await changeThread(tx, threadId, { leafId: answer, used: true });
    return answerWith(tx, owner, threadId, [answer]);
  });
}

/** Shows the newest branch below a message. @throws not_found */
export async function showBranch(tx: Tx, threadId: string, messageId: string): Promise<void> {
  const { rows } = await tx.query<{ id: string; parent_id: string | null }>(
    "select id, parent_id from miyabi.chat_messages where thread_id = $1 order by number",
    [threadId],
  );
  const nodes = rows.map((row) => ({ id: row.id, parentId: row.parent_id }));
  if (!nodes.some(({ id }) => id === messageId)) throw unknownMessage(messageId);
  await changeThread(tx, threadId, { leafId: newestLeaf(nodes, messageId) });
}

/** @throws not_found, also where the message is in somebody else's thread */
export async function threadOfMessage(db: Tx | Database, owner: string, messageId: string): Promise<string> {
  const { rows } = await db.query<{ thread_id: string }>(
    `select m.thread_id from miyabi.chat_messages m join miyabi.chat_threads t on t.id = m.thread_id
     where m.id = $1 and t.owner = $2`,
    [messageId, owner],
  );
  if (rows[0] === undefined) throw unknownMessage(messageId);
  return rows[0].thread_id;
}

async function addUserMessage(tx: Tx, said: Readonly<Said>, content: string): Promise<string> {
  const thread = await lockThread(tx, said.owner, said.threadId);
  requireRest(thread.answering);
  await requireRoom(tx, said.threadId);
  if (content.trim() === "" && said.attachmentIds.length === 0)
    throw new AppError({
      code: "input.invalid",
      message: "content: there is nothing to send.",
      details: { field: "content" },
    });
  const parentId = said.parentId === undefined ? thread.leafId : said.parentId;
  if (parentId !== null) {
    const { rowCount } = await tx.query(
      "select 1 from miyabi.chat_messages where id = $1 and thread_id = $2",
      [parentId, said.threadId],
    );
    if (rowCount === 0) throw unknownMessage(parentId);
  }
  const id = await insert(tx, {
    threadId: said.threadId,
    parentId,
    role: "user",
    state: "complete",
    content,
    note: null,
  });
  await linkAttachments(tx, { owner: said.owner, messageId: id, ids: said.attachmentIds });
  if (thread.title === "" && content.trim() !== "")
    await changeThread(tx, said.threadId, { title: firstLine(content, LONGEST_TITLE) });
  return id;
}

async function addAnswer(tx: Tx, threadId: string, parentId: string): Promise<string> {
  return insert(tx, { threadId, parentId, role: "assistant", state: "streaming", content: "", note: null });
}

async function insert(
  tx: Tx,
  message: Pick<ChatMessage, "threadId" | "parentId" | "role" | "state" | "content" | "note">,
): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into miyabi.chat_messages (thread_id, parent_id, role, state, content, note, persona, finished_at)
     select id, $2, $3, $4, $5, $6, case when $3 = 'assistant' then persona end, case when $4 = 'streaming' then null else now() end
     from miyabi.chat_threads where id = $1 returning id`,
    [
      message.threadId,
      message.parentId,
      message.role,
      message.state,
      // PostgreSQL keeps no NUL in a text.
      message.content.replaceAll("\0", ""),
      message.note === null ? null : JSON.stringify(message.note),
    ],
  );
  const id = rows[0]?.id ?? "";
  await notify(tx, CHAT_CHANNEL, `${message.threadId} ${id} changed`);
  return id;
}

async function answerWith(
  tx: Tx,
  owner: string,
  threadId: string,
  ids: readonly string[],
): Promise<ChatConversation> {
  return { thread: await readThread(tx, owner, threadId), messages: await readMessages(tx, threadId, ids) };
}

function requireRest(answering: boolean): void {
  if (!answering) return;
  throw new AppError({
    code: "conflict.state",
    message: "An answer is still being written in this thread.",
    fix: "Wait for its end, or stop it.",
  });
}

async function requireRoom(tx: Tx, threadId: string): Promise<void> {
  const { rows } = await tx.query<{ count: number }>(
    "select count(*)::int as count from miyabi.chat_messages where thread_id = $1",
    [threadId],
  );
  if ((rows[0]?.count ?? 0) + 2 <= MOST_MESSAGES) return;
  throw new AppError({
    code: "conflict.state",
    message: `The thread has ${MOST_MESSAGES} messages, more than which none can have.`,
    fix: "Begin a new thread.",
  });
}

function unknownMessage(id: string): AppError {
  return new AppError({ code: "not_found", message: `There is no message ${id} of yours.` });
}

import type { Handlers } from "../api/index.ts";
import type { Chat } from "../chat/index.ts";
import type { CHAT_ROUTES } from "../contract/index.ts";

export type ChatHandlers = Pick<Handlers, keyof typeof CHAT_ROUTES>;

/** The API's handlers over the chat; each person has their own threads. */
export function createChatHandlers(chat: Chat): ChatHandlers {
  return {
    listPersonas: () => Promise.resolve(chat.personas()),
    listChatModels: ({ caller }) => chat.models(caller.name),
    listThreads: ({ query, caller }) =>
      chat.list({
        owner: caller.name,
        limit: query.limit,
        cursor: query.cursor ?? null,
        q: query.q ?? null,
      }),
    createThread: ({ body, caller }) => chat.create(caller.name, body),
    getThread: ({ params: { id }, caller }) => chat.read(caller.name, id),
    changeThread: ({ params: { id }, body, caller }) => chat.change(caller.name, id, body),
    deleteThread: async ({ params: { id }, caller }) => {
      await chat.remove(caller.name, id);
      return { deleted: true };
    },
    exportThread: ({ params: { id }, query, caller }) => chat.export(caller.name, id, query.format),
    postChatMessage: ({ params: { id }, body, caller, idempotencyKey }) =>
      chat.post(
        {
          owner: caller.name,
          threadId: id,
          content: body.content,
          parentId: body.parentId,
          attachmentIds: body.attachmentIds,
        },
        idempotencyKey,
      ),
    regenerateChatMessage: ({ params: { id }, caller }) => chat.regenerate(caller.name, id),
    stopChatMessage: ({ params: { id }, caller }) => chat.stop(caller.name, id),
    uploadAttachment: ({ body, caller }) =>
      chat.upload({ owner: caller.name, name: body.name, content: Buffer.from(body.data, "base64") }),
  };
}

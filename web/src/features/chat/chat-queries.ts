import { infiniteQueryOptions, queryOptions, type QueryClient } from "@tanstack/react-query";
import { call } from "../../api/client.ts";
import type { ChatConversation } from "../../../../src/contract/index.ts";
import { mergeLoaded } from "./conversation-state.ts";

export const personasQuery = () =>
  queryOptions({
    queryKey: ["chat-personas"],
    queryFn: ({ signal }) => call("listPersonas", { signal }),
    // Files of personas change without an event.
    staleTime: 5_000,
  });

export const modelsQuery = () =>
  queryOptions({
    queryKey: ["chat-models"],
    queryFn: ({ signal }) => call("listChatModels", { signal }),
    staleTime: 60_000,
  });

export const threadsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["chat-threads", q],
    queryFn: ({ signal, pageParam }) =>
      call("listThreads", {
        query: { q, limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    staleTime: 5_000,
  });

export const threadQuery = (id: string) =>
  queryOptions({
    queryKey: ["chat-thread", id],
    queryFn: ({ signal }) => call("getThread", { params: { id }, signal }),
    // The stream may know more of an answer than a page that was loaded while it came.
    structuralSharing: (old, loaded) =>
      mergeLoaded(old as ChatConversation | undefined, loaded as ChatConversation),
  });

/** Changes what is known of a thread. */
export function updateThread(
  client: QueryClient,
  id: string,
  change: (known: ChatConversation) => ChatConversation,
): void {
  client.setQueryData(threadQuery(id).queryKey, (known) => (known === undefined ? known : change(known)));
}

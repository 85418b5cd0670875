import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { threadQuery, updateThread } from "./chat-queries.ts";
import { cursorOf, withMessages, withText } from "./conversation-state.ts";
import { followThread } from "./thread-connection.ts";

/** A thread, kept up to date by its stream. `retryMs`: the stream is away and is tried again after that time. */
export function useThread(id: string) {
  const client = useQueryClient();
  const query = useQuery(threadQuery(id));
  const [retryMs, setRetryMs] = useState<number | null>(null);
  const loaded = query.data !== undefined;

  useEffect(() => {
    if (!loaded) return undefined;
    const { queryKey } = threadQuery(id);
    const reload = () => void client.invalidateQueries({ queryKey });
    return followThread(id, {
      cursor: () => cursorOf(client.getQueryData(queryKey)),
      onMessage: (message) => {
        updateThread(client, id, (known) => withMessages(known, [message]));
        if (message.state !== "streaming") void client.invalidateQueries({ queryKey: ["chat-threads"] });
      },
      onText: (text) => {
        const known = client.getQueryData(queryKey);
        if (known === undefined) return;
        const next = withText(known, text);
        if (next === "gap") reload();
        else client.setQueryData(queryKey, next);
      },
      onHello: (again) => again && reload(),
      onLost: setRetryMs,
    });
  }, [client, id, loaded]);

  return { ...query, retryMs };
}

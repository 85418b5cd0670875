import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ChatThreadItem } from "../../../../src/contract/index.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { IconPlus, IconSearch } from "../../ui/icons.ts";
import { LoadMore } from "../../ui/load-more.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { threadsQuery } from "./chat-queries.ts";
import { parseChatSearch } from "./chat-search.ts";

const SEARCH_MS = 200;

export interface ThreadListProps {
  readonly openId: string | null;
}

/** The person's threads, last used first, with a search over all that was said. */
export function ThreadList({ openId }: ThreadListProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const q = parseChatSearch(useSearch({ strict: false })).q ?? "";
  const [text, setText] = useState(q);
  const query = useInfiniteQuery(threadsQuery(q));
  const search = useDebouncedCallback(
    (value: string) => void navigate({ to: ".", search: parseChatSearch({ q: value }), replace: true }),
    SEARCH_MS,
  );
  const threads = query.data?.pages.flatMap((page) => page.items);
  return (
    <aside className="m-chat-threads" aria-label={t("chat.threads")}>
      <div className="m-chat-threads-head">
        <TextInput
          className="m-grow"
          type="search"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
          placeholder={t("chat.search")}
          aria-label={t("chat.search")}
          leftSection={<IconSearch size={14} aria-hidden="true" />}
        />
        <Button
          className="m-chat-new"
          {...(openId === null ? { variant: "default" } : {})}
          leftSection={<IconPlus size={14} />}
          onClick={() => void navigate({ to: "/chat" })}
        >
          {t("chat.new")}
        </Button>
      </div>
      {query.error !== null && threads === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : threads === undefined ? (
        <RowSkeletons rows={6} height={52} />
      ) : threads.length === 0 ? (
        <EmptyState text={q === "" ? t("chat.noThreads") : t("chat.noMatch")} />
      ) : (
        <ul className="m-chat-thread-list">
          {threads.map((thread) => (
            <li key={thread.id}>
              <ThreadLink thread={thread} open={thread.id === openId} search={parseChatSearch({ q })} />
            </li>
          ))}
        </ul>
      )}
      <LoadMore list={query} />
    </aside>
  );
}

interface ThreadLinkProps {
  readonly thread: ChatThreadItem;
  readonly open: boolean;
  readonly search: ReturnType<typeof parseChatSearch>;
}

function ThreadLink({ thread, open, search }: ThreadLinkProps) {
  const { t } = useTranslation();
  return (
    <Link
      to="/chat/$threadId"
      params={{ threadId: thread.id }}
      search={search}
      className="m-chat-thread"
      {...(open ? { "aria-current": "page" as const } : {})}
    >
      <span className="m-chat-thread-title m-cut">
        {thread.title === "" ? t("chat.untitled") : thread.title}
      </span>
      {thread.found === null ? null : <span className="m-dim m-small m-chat-found">{thread.found}</span>}
      <span className="m-dim m-small m-row">
        {thread.answering ? (
          <span className="m-chat-answering">{t("chat.answering")}</span>
        ) : (
          <RelativeTime at={thread.updatedAt} />
        )}
        {thread.persona === null ? null : <span className="m-cut">{thread.persona}</span>}
      </span>
    </Link>
  );
}

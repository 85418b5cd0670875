import { Select } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { agentsQuery, messagesQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { MessageList } from "./message-list.tsx";
import { parseMessageSearch, type MessageSearch } from "./message-search.ts";

const STATES = ["queued", "delivered", "acknowledged", "dead"] as const;

export interface MailboxProps {
  readonly search: MessageSearch;
}

/** Messages between agents, newest first, by state and recipient. */
export function Mailbox({ search }: MailboxProps) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/messages" });
  const agents = useQuery(agentsQuery()).data?.items ?? [];
  const { state, recipient } = search;
  const query = useInfiniteQuery(
    messagesQuery({
      ...(state === undefined ? {} : { state }),
      ...(recipient === undefined ? {} : { recipient }),
    }),
  );
  const set = (part: Readonly<Record<string, unknown>>) =>
    void navigate({ search: (old) => parseMessageSearch({ ...old, ...part }), replace: true });
  const messages = query.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="m-panel-head">
        <Select
          aria-label={t("messages.filter.state")}
          placeholder={t("messages.filter.state")}
          data={STATES.map((one) => ({ value: one, label: t(`state.message.${one}`) }))}
          value={state ?? null}
          onChange={(value) => set({ state: value })}
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
        />
        <Select
          aria-label={t("messages.filter.recipient")}
          placeholder={t("messages.filter.recipient")}
          data={agents.map(({ slot }) => slot)}
          value={recipient ?? null}
          onChange={(value) => set({ recipient: value })}
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
        />
      </div>
      {query.error !== null && messages === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : messages === undefined ? (
        <RowSkeletons rows={6} height={56} />
      ) : messages.length === 0 ? (
        <EmptyState text={t("messages.none")} />
      ) : (
        <MessageList messages={messages} />
      )}
      <LoadMore list={query} />
    </>
  );
}

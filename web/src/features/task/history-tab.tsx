import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { taskEventsQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { formatClock } from "../../ui/format.ts";
import { LoadMore } from "../../ui/load-more.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { EventFacts } from "./event-facts.tsx";

export interface HistoryTabProps {
  readonly taskId: string;
}

/** Every event of the task, newest first. */
export function HistoryTab({ taskId }: HistoryTabProps) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(taskEventsQuery(taskId));
  if (query.error !== null && query.data === undefined) {
    return <QueryError error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (query.data === undefined) return <RowSkeletons rows={8} height={32} />;
  const events = query.data.pages.flatMap((page) => page.items);
  if (events.length === 0) return <EmptyState text={t("history.none")} />;
  return (
    <>
      <ol className="m-history">
        {events.map((event) => (
          <li key={event.id}>
            <span className="m-dim">{formatClock(Date.parse(event.at))}</span>
            <span>
              {t(`history.type.${event.type}`)} <EventFacts event={event} />
            </span>
            <span className="m-dim m-small">
              <RelativeTime at={event.at} />
            </span>
          </li>
        ))}
      </ol>
      <LoadMore list={query} />
    </>
  );
}

import { SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { callsQuery, callSummaryQuery } from "../api/gateway-queries.ts";
import { CallFilters } from "../features/calls/call-filters.tsx";
import { isFiltered, parseCallSearch, RANGES, toCallFilter } from "../features/calls/call-search.ts";
import { CallSums } from "../features/calls/call-sums.tsx";
import { CallTable } from "../features/calls/call-table.tsx";
import { GatewayFrame } from "../features/gateway/gateway-frame.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";
import "../features/calls/calls.css";

/** The gateway's model calls: what they cost, what came from a cache, and each of them. */
export function CallsPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/gateway/calls" });
  const navigate = useNavigate({ from: "/gateway/calls" });
  const range = search.range ?? "24h";
  const filter = toCallFilter(search);
  const summary = useQuery({
    ...callSummaryQuery(range, filter),
    placeholderData: (previous) => previous,
  }).data;
  const list = useInfiniteQuery({ ...callsQuery(filter), placeholderData: (previous) => previous });
  const calls = list.data?.pages.flatMap((page) => page.items);
  return (
    <GatewayFrame
      page="calls"
      actions={
        <SegmentedControl
          aria-label={t("overview.rangeLabel")}
          value={range}
          onChange={(value) =>
            void navigate({
              search: ({ range: _old, ...rest }) => parseCallSearch({ ...rest, range: value }),
            })
          }
          data={RANGES.map((one) => ({ value: one, label: t(`calls.range.${one}`) }))}
        />
      }
    >
      {summary === undefined ? null : <CallSums summary={summary} />}
      <CallFilters search={search} choices={summary} />
      {list.error !== null && calls === undefined ? (
        <QueryError error={list.error} onRetry={() => void list.refetch()} />
      ) : calls === undefined ? (
        <div className="m-panel" aria-busy="true">
          <RowSkeletons rows={10} />
        </div>
      ) : calls.length === 0 ? (
        <div className="m-panel">
          {isFiltered(search) ? (
            <EmptyState text={t("calls.noneFits")} />
          ) : (
            <EmptyState text={t("calls.none")} command="miyabi setup --all" />
          )}
        </div>
      ) : (
        <CallTable calls={calls} list={list} />
      )}
    </GatewayFrame>
  );
}

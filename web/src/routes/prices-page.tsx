import "../features/prices/prices.css";
import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { modelPricesQuery } from "../api/gateway-queries.ts";
import { GatewayFrame } from "../features/gateway/gateway-frame.tsx";
import { parsePriceSearch, PRICE_SOURCES } from "../features/prices/price-search.ts";
import { PriceTable } from "../features/prices/price-table.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { IconSearch } from "../ui/icons.ts";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";

const SEARCH_MS = 200;

/** What models cost, where that is known from, and which cost nobody knows. */
export function PricesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/gateway/prices" });
  const navigate = useNavigate({ from: "/gateway/prices" });
  const [text, setText] = useState(search.q ?? "");
  const query = useQuery(modelPricesQuery());
  const set = (part: Readonly<Record<string, unknown>>) =>
    void navigate({ search: (old) => parsePriceSearch({ ...old, ...part }), replace: true });
  const setQ = useDebouncedCallback((q: string) => set({ q }), SEARCH_MS);
  const all = query.data?.items;
  const wanted = search.q?.toLowerCase() ?? "";
  const prices = all?.filter(
    (one) =>
      (search.source === undefined || one.source === search.source) &&
      [one.model, one.provider, ...one.usedBy].join("\n").toLowerCase().includes(wanted),
  );
  const unknown = all?.find(({ source }) => source === "unknown");
  return (
    <GatewayFrame page="prices">
      <div className="m-filters" role="search" aria-label={t("prices.filter.label")}>
        <Select
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
          className="m-filter-wide"
          aria-label={t("prices.source.label")}
          placeholder={t("prices.source.label")}
          data={PRICE_SOURCES.map((source) => ({ value: source, label: t(`prices.source.${source}`) }))}
          value={search.source ?? null}
          onChange={(source) => set({ source })}
        />
        <TextInput
          className="m-filter-text"
          type="search"
          aria-label={t("prices.filter.text")}
          placeholder={t("prices.filter.text")}
          leftSection={<IconSearch size={14} aria-hidden="true" />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setQ(event.currentTarget.value);
          }}
        />
      </div>
      {unknown === undefined ? null : (
        <div className="m-panel m-prices-unknown">
          <p>{t("prices.unknownHint", { model: unknown.model })}</p>
          <CommandLine command={`gateway: { prices: { "${unknown.model}": { input: 0.5, output: 1.5 } } }`} />
        </div>
      )}
      {query.error !== null && all === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : prices === undefined ? (
        <div className="m-panel" aria-busy="true">
          <RowSkeletons rows={8} />
        </div>
      ) : prices.length === 0 ? (
        <div className="m-panel">
          {all?.length === 0 ? (
            <EmptyState text={t("prices.none")} command="miyabi setup --all" />
          ) : (
            <EmptyState text={t("prices.noneFits")} />
          )}
        </div>
      ) : (
        <PriceTable prices={prices} />
      )}
    </GatewayFrame>
  );
}

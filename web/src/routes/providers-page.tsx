import "../features/providers/providers.css";
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { modelHealthQuery, providersQuery } from "../api/gateway-queries.ts";
import { GatewayFrame } from "../features/gateway/gateway-frame.tsx";
import { CompatibilityMatrix } from "../features/providers/compatibility-matrix.tsx";
import { ProviderRow } from "../features/providers/provider-row.tsx";
import { parseProviderSearch } from "../features/providers/provider-search.ts";
import { conditionOf, CONDITIONS } from "../features/providers/provider-state.ts";
import { useMay } from "../features/shell/use-may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";

/** Who answers model calls: keys, health by model, and what each understands. */
export function ProvidersPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/gateway/providers" });
  const navigate = useNavigate({ from: "/gateway/providers" });
  const may = useMay("admin");
  const query = useQuery(providersQuery());
  const health = useQuery(modelHealthQuery()).data?.items ?? [];
  const all = query.data?.items;
  const fitting = all?.filter((one) => search.state === undefined || conditionOf(one) === search.state);
  const rows = fitting?.filter((one) => search.state !== undefined || one.state !== "available");
  return (
    <GatewayFrame page="providers">
      <div className="m-filters">
        <Select
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
          className="m-filter-wide"
          aria-label={t("providers.filter")}
          placeholder={t("providers.filter")}
          data={CONDITIONS.map((one) => ({ value: one, label: t(`state.provider.${one}`) }))}
          value={search.state ?? null}
          onChange={(state) => void navigate({ search: parseProviderSearch({ state }), replace: true })}
        />
      </div>
      {query.error !== null && all === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : all === undefined || rows === undefined ? (
        <div className="m-panel" aria-busy="true">
          <RowSkeletons rows={5} height={72} />
        </div>
      ) : (
        <div className="m-stack">
          <div className="m-panel">
            {rows.length === 0 ? (
              <EmptyState text={t("providers.noneFits")} />
            ) : (
              <ul className="m-gateway-rows">
                {rows.map((one) => (
                  <ProviderRow
                    key={one.name}
                    of={one}
                    health={health.filter(({ provider }) => provider === one.name)}
                    mayChange={may}
                  />
                ))}
              </ul>
            )}
          </div>
          <Panel title={t("providers.matrix")} flush>
            <CompatibilityMatrix providers={all} />
          </Panel>
        </div>
      )}
    </GatewayFrame>
  );
}

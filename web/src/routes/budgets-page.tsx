import "../features/budgets/budgets.css";
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { budgetsQuery, gatewayKeysQuery } from "../api/gateway-queries.ts";
import { BudgetRow } from "../features/budgets/budget-row.tsx";
import { BUDGET_SCOPES, parseBudgetSearch } from "../features/budgets/budget-search.ts";
import { GatewayFrame } from "../features/gateway/gateway-frame.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";

/** Every budget that holds now, with what of it is used, the fullest first. */
export function BudgetsPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/gateway/budgets" });
  const navigate = useNavigate({ from: "/gateway/budgets" });
  const query = useQuery(budgetsQuery());
  const keys = useQuery(gatewayKeysQuery()).data?.items ?? [];
  const { data } = query;
  const scopes = search.scope === undefined ? BUDGET_SCOPES : [search.scope];
  const groups = scopes
    .map((scope) => ({ scope, items: data?.items.filter((one) => one.scope === scope) ?? [] }))
    .filter(({ items }) => items.length > 0);
  return (
    <GatewayFrame page="budgets">
      <div className="m-filters">
        <SegmentedControl
          className="m-filter-wide"
          aria-label={t("budgets.filter")}
          value={search.scope ?? ""}
          onChange={(scope) => void navigate({ search: parseBudgetSearch({ scope }), replace: true })}
          data={[
            { value: "", label: t("budgets.scope.any") },
            ...BUDGET_SCOPES.map((scope) => ({ value: scope, label: t(`budgets.scope.${scope}`) })),
          ]}
        />
      </div>
      {query.error !== null && data === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : data === undefined ? (
        <div className="m-panel" aria-busy="true">
          <RowSkeletons rows={5} height={56} />
        </div>
      ) : groups.length === 0 ? (
        <div className="m-panel">
          <EmptyState
            text={search.scope === undefined ? t("budgets.none") : t("budgets.noneOf")}
            command="miyabi keys add --name aider --kind tool --day-usd 5"
          />
          <div className="m-empty">
            <p>{t("budgets.inSettings")}</p>
            <CommandLine command="gateway: { budgets: { monthUsd: 200, taskUsd: 5 } }" />
          </div>
        </div>
      ) : (
        <div className="m-stack">
          {groups.map(({ scope, items }) => (
            <Panel key={scope} title={t(`budgets.scope.${scope}`)} count={items.length} flush>
              <ul className="m-gateway-rows">
                {items.map((budget) => (
                  <BudgetRow
                    key={`${budget.owner} ${budget.period} ${budget.taskId}`}
                    of={budget}
                    warnAt={data.warnAt}
                    keyName={keys.find(({ id }) => id === budget.owner)?.name ?? null}
                  />
                ))}
              </ul>
            </Panel>
          ))}
          <p className="m-dim m-small">
            {t("budgets.legend", { share: `${Math.round(data.warnAt * 100)} %` })}
          </p>
        </div>
      )}
    </GatewayFrame>
  );
}

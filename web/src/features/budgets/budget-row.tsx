import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { BudgetView } from "../../../../src/contract/index.ts";
import { formatExactMoney } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { UseBar } from "../../ui/use-bar.tsx";

export interface BudgetRowProps {
  readonly of: BudgetView;
  readonly warnAt: number;
  /** Of a key's budget; null: not known. */
  readonly keyName: string | null;
}

/** One budget: whose it is, how much of it is used, and when it is full again. */
export function BudgetRow({ of: budget, warnAt, keyName }: BudgetRowProps) {
  const { t } = useTranslation();
  const { reservedMicros: held } = budget;
  return (
    <li className="m-gateway-row m-budget">
      <div className="m-gateway-notes">
        <span className="m-gateway-name">{owner()}</span>
        {budget.scope === "key" && budget.taskId !== null ? <TaskLink id={budget.taskId} /> : null}
      </div>
      <UseBar label={t(`budgets.period.${budget.period}`)} warnAt={warnAt} {...budget} />
      <div className="m-gateway-notes m-small m-dim">
        {budget.endsAt === null ? (
          <span>{t("budgets.neverFull")}</span>
        ) : (
          <span>
            {t("budgets.fullAgain")} <RelativeTime at={budget.endsAt} />
          </span>
        )}
        {held === 0 ? null : <span>{t("budgets.held", { amount: formatExactMoney(held) ?? "" })}</span>}
      </div>
    </li>
  );

  function owner() {
    if (budget.scope === "all") return t("budgets.installation");
    if (budget.scope === "task") return <TaskLink id={budget.owner ?? ""} />;
    if (budget.scope === "team") return budget.owner;
    return (
      <Link to="/gateway/keys" search={{ state: "all", q: budget.owner ?? "" }} className="m-underline">
        {keyName ?? budget.owner} <span className="m-mono m-dim">{budget.owner}</span>
      </Link>
    );
  }
}

function TaskLink({ id }: { readonly id: string }) {
  return (
    <Link to="/tasks/$taskId" params={{ taskId: id }} className="m-mono m-underline">
      {id}
    </Link>
  );
}

import { Button, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { BudgetView, GatewayKeyUse, GatewayKeyView } from "../../../../src/contract/index.ts";
import { formatCount } from "../../ui/format.ts";
import { Money } from "../../ui/money.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { UseBar } from "../../ui/use-bar.tsx";
import { keyState } from "./key-state.ts";
import { RevokeKey } from "./revoke-key.tsx";

export interface KeyRowProps {
  readonly of: GatewayKeyView;
  /** Null: never used. */
  readonly use: GatewayKeyUse | null;
  readonly budgets: readonly BudgetView[];
  readonly warnAt: number;
  readonly mayRevoke: boolean;
  readonly nowMs: number;
}

/** A virtual key: whose it is, what it may do, what it has spent, who uses it, and its end. */
export function KeyRow({ of: key, use, budgets, warnAt, mayRevoke, nowMs }: KeyRowProps) {
  const { t } = useTranslation();
  const [revoking, setRevoking] = useState(false);
  const state = keyState(key, nowMs);
  const belongs = [
    t(`keys.kind.${key.kind}`),
    ...(key.team === null ? [] : [t("keys.ofTeam", { team: key.team })]),
  ];
  return (
    <li className="m-gateway-row m-key" id={key.id}>
      <div className="m-gateway-notes">
        <span className="m-gateway-name">{key.name}</span>
        <span className="m-dim m-small">
          <span className="m-mono">
            {key.id} · {key.start}…
          </span>
        </span>
        <span className="m-dim m-small">{belongs.join(" · ")}</span>
        {key.taskId === null ? null : (
          <span className="m-small">
            {t("keys.booksOn")}{" "}
            <Link to="/tasks/$taskId" params={{ taskId: key.taskId }} className="m-mono m-underline">
              {key.taskId}
            </Link>
          </span>
        )}
        <span className="m-small">
          <StateBadge of="key" state={state} />
          {key.revokedAt !== null ? (
            <span className="m-dim">
              {" "}
              <RelativeTime at={key.revokedAt} />
            </span>
          ) : key.expiresAt !== null ? (
            <span className="m-dim">
              {" "}
              {t("keys.expires")} <RelativeTime at={key.expiresAt} />
            </span>
          ) : null}
        </span>
      </div>
      <div className="m-gateway-notes m-small">
        <div>
          {key.models === null ? (
            <span className="m-dim">{t("keys.everyModel")}</span>
          ) : (
            key.models.map((model) => (
              <code key={model} className="m-chip">
                {model}
              </code>
            ))
          )}
        </div>
        <span className="m-dim">{limitWords()}</span>
        {key.cache ? <span className="m-dim">{t("keys.usesCache")}</span> : null}
      </div>
      <div className="m-stack">
        {budgets.length === 0 ? (
          <span className="m-dim m-small">{t("keys.noBudget")}</span>
        ) : (
          budgets.map((budget) => (
            <UseBar
              key={budget.period}
              label={t(`budgets.period.${budget.period}`)}
              warnAt={warnAt}
              {...budget}
            />
          ))
        )}
      </div>
      <div className="m-key-use">
        <div className="m-gateway-notes m-small">
          {use === null ? (
            <span className="m-dim">{t("keys.neverUsed")}</span>
          ) : (
            <>
              <span>
                {t("keys.lastUsed")} <RelativeTime at={use.lastUsedAt} />
              </span>
              <span>
                <Link to="/gateway/calls" search={{ key: key.id, range: "30d" }} className="m-underline">
                  {t("keys.calls", { count: use.calls, calls: formatCount(use.calls) })}
                </Link>{" "}
                · <Money micros={use.costMicros} exact />
                {use.costUnknown === 0 ? null : (
                  <span className="m-tone-waiting">
                    {" "}
                    {t("calls.costUnknown", { count: use.costUnknown })}
                  </span>
                )}
              </span>
              {use.models.length === 0 ? null : <span className="m-dim m-mono">{use.models.join(", ")}</span>}
              <span className="m-dim m-mono">{use.endpoints.join(", ")}</span>
            </>
          )}
          <Tooltip label={key.createdAt}>
            <span className="m-dim">{t("keys.madeBy", { name: key.createdBy })}</span>
          </Tooltip>
        </div>
        {state === "revoked" || !mayRevoke ? null : (
          <Button
            variant="default"
            aria-label={t("keys.revokeOf", { id: key.id, name: key.name })}
            onClick={() => setRevoking(true)}
          >
            {t("keys.revoke")}
          </Button>
        )}
      </div>
      <RevokeKey of={key} use={use} opened={revoking} onClose={() => setRevoking(false)} />
    </li>
  );

  function limitWords(): string {
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = key;
    const limits = [
      ...(requests === null ? [] : [t("keys.requestsPerMinute", { count: requests })]),
      ...(tokens === null ? [] : [t("keys.tokensPerMinute", { tokens: formatCount(tokens) })]),
    ];
    return limits.length === 0 ? t("keys.noRateLimit") : limits.join(" · ");
  }
}

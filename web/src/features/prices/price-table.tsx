import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ModelPriceView } from "../../../../src/contract/index.ts";
import { formatCount, formatRate } from "../../ui/format.ts";

export interface PriceTableProps {
  readonly prices: readonly ModelPriceView[];
}

const RATES = ["inputUsd", "outputUsd", "cacheReadUsd", "cacheWriteUsd"] as const;

/** What each model costs, USD per million tokens, and where that is known from. */
export function PriceTable({ prices }: PriceTableProps) {
  const { t } = useTranslation();
  return (
    <div className="m-panel m-table-wrap" tabIndex={0} role="group" aria-label={t("gateway.title.prices")}>
      <table className="m-table m-prices">
        <caption className="m-table-caption">{t("gateway.title.prices")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("calls.filter.model")}</th>
            <th scope="col">{t("prices.source.label")}</th>
            {RATES.map((rate) => (
              <th key={rate} scope="col" className="m-num">
                {t(`prices.rate.${rate}`)}
              </th>
            ))}
            <th scope="col" className="m-num">
              {t("prices.window")}
            </th>
            <th scope="col">{t("prices.usedBy")}</th>
            <th scope="col" className="m-num">
              {t("prices.calls")}
            </th>
          </tr>
        </thead>
        <tbody>
          {prices.map((price) => (
            <tr key={`${price.provider} ${price.model}`}>
              <td className="m-prices-name">
                <span className="m-mono">{price.model}</span> <span className="m-dim">{price.provider}</span>
              </td>
              <td>
                <span className={price.source === "unknown" ? "m-tone-waiting" : ""}>
                  {t(`prices.source.${price.source}`)}
                </span>
                {price.listedAs === null || price.listedAs === `${price.provider}/${price.model}` ? null : (
                  <div className="m-dim m-mono m-prices-name">{price.listedAs}</div>
                )}
                {price.tiered ? <div className="m-dim m-small">{t("prices.tiered")}</div> : null}
              </td>
              {RATES.map((rate) => (
                <td key={rate} className="m-num">
                  {formatRate(price[rate]) ?? <span className="m-dim">–</span>}
                </td>
              ))}
              <td className="m-num">
                {price.windowTokens === null ? (
                  <span className="m-dim">–</span>
                ) : (
                  formatCount(price.windowTokens)
                )}
              </td>
              <td>
                {price.usedBy.map((name) => (
                  <code key={name} className="m-chip">
                    {name}
                  </code>
                ))}
              </td>
              <td className="m-num">
                {price.calls === 0 ? (
                  <span className="m-dim">0</span>
                ) : (
                  <Link
                    to="/gateway/calls"
                    search={{ model: price.model, provider: price.provider, range: "30d" }}
                    className="m-underline"
                  >
                    {formatCount(price.calls)}
                  </Link>
                )}
                {price.costUnknown === 0 ? null : (
                  <div className="m-tone-waiting m-small">
                    {t("prices.withoutCost", { count: price.costUnknown })}
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

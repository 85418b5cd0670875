import { useTranslation } from "react-i18next";
import { formatMoney } from "./format.ts";

export interface MoneyProps {
  /** Null where no price is known, e.g. on a subscription plan. */
  readonly micros: number | null;
}

/** A cost in USD, or the word for a cost that is not known. */
export function Money({ micros }: MoneyProps) {
  const { t } = useTranslation();
  const text = formatMoney(micros);
  return text === null ? <span className="m-dim">{t("common.costUnknown")}</span> : <>{text}</>;
}

import { useTranslation } from "react-i18next";
import { formatExactMoney, formatMoney } from "./format.ts";

export interface MoneyProps {
  /** Null where no price is known, e.g. on a subscription plan. */
  readonly micros: number | null;
  /** To the last digit, also below a cent. */
  readonly exact?: boolean;
}

/** A cost in USD, or the word for a cost that is not known. */
export function Money({ micros, exact = false }: MoneyProps) {
  const { t } = useTranslation();
  const text = exact ? formatExactMoney(micros) : formatMoney(micros);
  return text === null ? <span className="m-dim">{t("common.costUnknown")}</span> : <>{text}</>;
}

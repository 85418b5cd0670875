import "./use-bar.css";
import { useTranslation } from "react-i18next";
import { formatExactMoney } from "./format.ts";

export interface UseBarProps {
  readonly label: string;
  /** USD × 10⁻⁶, as the others. */
  readonly limitMicros: number;
  readonly spentMicros: number;
  /** Held by what is under way. */
  readonly reservedMicros: number;
  /** Share from which on it is nearly used up. */
  readonly warnAt: number;
}

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (part / whole) * 100);

/** A budget as a bar: what is spent, what is held, and in words how near its end is. */
export function UseBar({ label, limitMicros, spentMicros, reservedMicros, warnAt }: UseBarProps) {
  const { t } = useTranslation();
  const share = percent(spentMicros, limitMicros);
  const level = share >= 100 ? "full" : share >= warnAt * 100 ? "near" : "plenty";
  const money = (micros: number) => formatExactMoney(micros) ?? "";
  const spent = Math.min(100, share);
  return (
    <div className="m-use" data-level={level}>
      <div className="m-use-words">
        <span>
          <span className="m-dim">{label}</span>{" "}
          {level === "plenty" ? null : (
            <span className={level === "full" ? "m-tone-failed" : "m-tone-waiting"}>
              {t(`budgets.level.${level}`)}
            </span>
          )}
        </span>
        <span>{t("budgets.spentOf", { spent: money(spentMicros), limit: money(limitMicros) })}</span>
      </div>
      <div
        className="m-use-track"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(spent)}
        aria-valuetext={`${Math.round(share)} %`}
      >
        <span className="m-use-spent" style={{ width: `${spent}%` }} />
        <span
          className="m-use-held"
          style={{ width: `${Math.min(100 - spent, percent(reservedMicros, limitMicros))}%` }}
        />
      </div>
    </div>
  );
}

import { useTranslation } from "react-i18next";
import type { ModelHealthView } from "../../../../src/contract/index.ts";
import { formatCount } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";

export interface ModelHealthProps {
  /** Most called first; at least one. */
  readonly models: readonly ModelHealthView[];
}

/** Calls of each model in the last 24 hours, how many failed, and why the last one did. */
export function ModelHealth({ models }: ModelHealthProps) {
  const { t } = useTranslation();
  return (
    <ul className="m-model-health m-small">
      {models.map((one) => (
        <li key={one.model ?? ""}>
          <span className="m-mono">{one.model ?? t("providers.noModel")}</span>{" "}
          <span className="m-dim">
            {t("providers.calls", { count: one.calls, calls: formatCount(one.calls) })}
            {one.firstByteP50Ms === null
              ? null
              : ` · ${t("providers.firstByte", { value: `${one.firstByteP50Ms} ms` })}`}
          </span>
          {one.failed === 0 ? null : (
            <span className="m-tone-failed">
              {" "}
              {t("providers.failed", {
                count: one.failed,
                share: `${Math.max(1, Math.round((one.failed / one.calls) * 100))} %`,
              })}
            </span>
          )}
          {one.lastFailedAt === null ? null : (
            <div className="m-dim">
              <RelativeTime at={one.lastFailedAt} />: {one.lastError ?? t("calls.outcome.failed")}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

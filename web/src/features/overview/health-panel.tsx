import { useTranslation } from "react-i18next";
import { useReason } from "../../i18n/use-reason.ts";
import { useWord } from "../../i18n/use-word.ts";
import type { ComponentHealth } from "../../../../src/contract/index.ts";
import { FixText } from "../../ui/fix-text.tsx";
import { Panel } from "../../ui/panel.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";

export interface HealthPanelProps {
  readonly components: readonly ComponentHealth[];
}

/** Health of each part; what is not well comes first, with its fix. */
export function HealthPanel({ components }: HealthPanelProps) {
  const { t } = useTranslation();
  const word = useWord();
  const say = useReason();
  const ill = components.filter(({ state }) => state !== "ok");
  const sorted = [...ill, ...components.filter(({ state }) => state === "ok")];
  return (
    <Panel
      title={t("overview.health")}
      aside={
        <span className="m-dim m-small">
          {ill.length === 0 ? t("overview.allWell") : t("overview.notWell", { count: ill.length })}
        </span>
      }
      flush
    >
      <ul className="m-list">
        {sorted.map(({ name, state, detail, fix, params = {} }) => (
          <li key={name} className="m-item">
            <div className="m-grow">
              <div>{word(`health.${name}`, name)}</div>
              <div className="m-sub">{say({ code: `health.${name}.${state}`, message: detail, params })}</div>
              {fix === null || state === "ok" ? null : <FixText text={fix} />}
            </div>
            <StateBadge of="health" state={state} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

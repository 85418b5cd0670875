import { useTranslation } from "react-i18next";
import type { StatusView } from "../../../../src/contract/index.ts";
import { CommandLine } from "../../ui/command-line.tsx";

export interface DemoBannerProps {
  readonly demo: NonNullable<StatusView["demo"]>;
}

/** Says that the sample is being worked on, where it is, and how to start with an own repository. */
export function DemoBanner({ demo }: DemoBannerProps) {
  const { t } = useTranslation();
  return (
    <aside className="m-demo" aria-label={t("overview.demo.label")}>
      <span className="m-row">
        <progress value={demo.done} max={demo.total} aria-label={t("overview.demo.progress")} />
        {t("overview.demo.done", { done: demo.done, total: demo.total })}
      </span>
      <span className="m-dim">{t("overview.demo.look")}</span>
      <CommandLine command={`git -C '${demo.repositoryPath}' log --oneline`} />
      <span className="m-dim">{t("overview.demo.own")}</span>
      <CommandLine command="miyabi init" />
    </aside>
  );
}

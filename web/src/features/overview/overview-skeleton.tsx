import { Skeleton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Panel } from "../../ui/panel.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";

/** The overview in its final shape, before its data is there. */
export function OverviewSkeleton() {
  const { t } = useTranslation();
  return (
    <div aria-busy="true">
      <Skeleton height={22} width="min(640px, 90%)" mb={24} />
      <div className="m-overview">
        <div className="m-stack">
          <Panel title={t("overview.needsYou")} flush>
            <RowSkeletons rows={2} height={64} />
          </Panel>
          <Panel title={t("overview.runningNow")} flush>
            <RowSkeletons rows={4} height={60} />
          </Panel>
        </div>
        <div className="m-stack">
          <Panel title={t("nav.agents")} flush>
            <RowSkeletons rows={5} height={36} />
          </Panel>
          <Panel title={t("overview.throughput")}>
            <Skeleton height={140} />
          </Panel>
        </div>
      </div>
    </div>
  );
}

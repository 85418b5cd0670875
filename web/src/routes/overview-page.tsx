import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { statusQuery } from "../api/queries.ts";
import { AgentStrips } from "../features/overview/agent-strips.tsx";
import { DemoBanner } from "../features/overview/demo-banner.tsx";
import { HealthPanel } from "../features/overview/health-panel.tsx";
import { NeedsYou } from "../features/overview/needs-you.tsx";
import { NextUp } from "../features/overview/next-up.tsx";
import { OverviewSentence } from "../features/overview/overview-sentence.tsx";
import { OverviewSkeleton } from "../features/overview/overview-skeleton.tsx";
import { RunningNow } from "../features/overview/running-now.tsx";
import { ThroughputPanel } from "../features/overview/throughput-panel.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { usePageTitle } from "../ui/use-page-title.ts";
import "../features/overview/overview.css";

/** What runs, what waits for a person, what comes next, and whether all is well. */
export function OverviewPage() {
  const { t } = useTranslation();
  const [range, setRange] = useState<"24h" | "7d">("24h");
  const {
    data: status,
    error,
    refetch,
  } = useQuery({
    ...statusQuery(range),
    placeholderData: (previous) => previous,
  });
  usePageTitle(t("nav.overview"));
  if (error !== null && status === undefined)
    return <QueryError error={error} onRetry={() => void refetch()} />;
  if (status === undefined) return <OverviewSkeleton />;
  return (
    <>
      <OverviewSentence status={status} />
      {status.demo === null ? null : <DemoBanner demo={status.demo} />}
      <div className="m-overview">
        <div className="m-stack">
          <NeedsYou questions={status.needsYou.questions} tasks={status.needsYou.tasks} />
          <RunningNow tasks={status.running} agents={status.agents} />
          <NextUp tasks={status.next} />
        </div>
        <div className="m-stack">
          <AgentStrips agents={status.agents} />
          <ThroughputPanel buckets={status.throughput} range={range} onRange={setRange} />
          <HealthPanel components={status.health} />
        </div>
      </div>
    </>
  );
}

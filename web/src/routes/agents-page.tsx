import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { agentsQuery } from "../api/queries.ts";
import { AgentCard } from "../features/agents/agent-card.tsx";
import "../features/agents/agents.css";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";

/** The team: a card for each slot with its live pane. */
export function AgentsPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(agentsQuery());
  const hash = useLocation({ select: (location) => location.hash });
  const loaded = data !== undefined;
  useEffect(() => {
    if (loaded && hash !== "") document.getElementById(hash)?.scrollIntoView({ block: "start" });
  }, [loaded, hash]);
  const busy = data?.items.filter(({ state }) => state === "busy").length ?? 0;
  return (
    <>
      <PageHeader
        title={t("nav.agents")}
        {...(data === undefined ? {} : { lead: t("agents.lead", { busy, count: data.items.length }) })}
      />
      {error !== null && data === undefined ? (
        <QueryError error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <div className="m-agents" aria-busy="true">
          {["a", "b", "c", "d"].map((key) => (
            <Panel key={key} title={t("agents.loading")} flush>
              <RowSkeletons rows={8} />
            </Panel>
          ))}
        </div>
      ) : data.items.length === 0 ? (
        <div className="m-panel">
          <EmptyState text={t("agents.none")} command="miyabi doctor" />
        </div>
      ) : (
        <div className="m-agents">
          {data.items.map((agent) => (
            <AgentCard key={agent.slot} agent={agent} marked={agent.slot === hash} />
          ))}
        </div>
      )}
    </>
  );
}

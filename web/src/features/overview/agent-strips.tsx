import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";
import { AgentMark } from "../../ui/agent-mark.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Panel } from "../../ui/panel.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { BusyStrip } from "../agents/busy-strip.tsx";
import { useAgentLabel } from "../agents/use-agent-label.ts";

export interface AgentStripsProps {
  readonly agents: readonly AgentView[];
}

/** One line per agent: busy spans of the last 24 h and the present state. */
export function AgentStrips({ agents }: AgentStripsProps) {
  const { t } = useTranslation();
  const label = useAgentLabel();
  return (
    <Panel
      title={t("nav.agents")}
      count={agents.length}
      aside={<span className="m-dim m-small">{t("overview.last24h")}</span>}
      flush
    >
      {agents.length === 0 ? (
        <EmptyState text={t("agents.none")} command="miyabi doctor" />
      ) : (
        <ul className="m-list">
          {agents.map((agent) => (
            <li key={agent.slot} className="m-strip-row">
              <AgentMark {...agent} />
              <Link to="/agents" hash={agent.slot} className="m-cut">
                {label(agent)}
              </Link>
              <BusyStrip history={agent.history} color={agent.color} />
              <StateBadge of="agent" state={agent.state} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

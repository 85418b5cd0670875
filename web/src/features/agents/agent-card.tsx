import { ActionIcon, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";
import { AgentMark } from "../../ui/agent-mark.tsx";
import { CommandLine } from "../../ui/command-line.tsx";
import { IconMaximize } from "../../ui/icons.ts";
import { ReasonText } from "../../ui/reason-text.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { StepName } from "../task/step-name.tsx";
import { AgentActions } from "./agent-actions.tsx";
import { BusyStrip } from "./busy-strip.tsx";
import { PanePreview } from "./pane-preview.tsx";
import { PaneModal } from "./pane-modal.tsx";
import { RoleName } from "./role-name.tsx";
import { useAgentLabel } from "./use-agent-label.ts";

export interface AgentCardProps {
  readonly agent: AgentView;
  /** Marked when a link leads to it. */
  readonly marked: boolean;
}

/** One slot: who, what it does, its pane, its last day, and what can be done with it. */
export function AgentCard({ agent, marked }: AgentCardProps) {
  const { t } = useTranslation();
  const label = useAgentLabel();
  const [opened, pane] = useDisclosure(false);
  const name = label(agent);
  return (
    <article id={agent.slot} className={marked ? "m-agent m-marked" : "m-agent"} aria-label={name}>
      <header className="m-agent-head">
        <AgentMark {...agent} size={32} />
        <div className="m-grow">
          <h2>{name}</h2>
          <div className="m-dim m-small m-cut">
            <RoleName role={agent.role} /> · <span className="m-mono">{agent.slot}</span> · {agent.profile}
          </div>
        </div>
        <StateBadge of="agent" state={agent.state} pill />
        <Tooltip label={t("agents.enlarge")}>
          <ActionIcon onClick={pane.open} aria-label={t("agents.enlargeOf", { name })}>
            <IconMaximize size={16} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className="m-agent-now">
        {agent.taskId === null ? (
          <p className="m-dim">
            {agent.reason === null ? (
              t(`agents.now.${agent.state}`)
            ) : (
              <ReasonText reason={agent.reason} withFix />
            )}
          </p>
        ) : (
          <>
            <div className="m-row">
              <Link
                to="/tasks/$taskId"
                params={{ taskId: agent.taskId }}
                className="m-cut"
                style={{ fontWeight: 500 }}
              >
                <span className="m-dim m-mono">{agent.taskId}</span> {agent.taskTitle}
              </Link>
            </div>
            <div className="m-row m-dim m-small">
              {agent.step === null ? null : <StepName name={agent.step} />}
              <span className="m-cut">{agent.lastEvent}</span>
            </div>
          </>
        )}
      </div>
      <PanePreview slot={agent.slot} calm={agent.state !== "busy" && agent.state !== "taken-over"} />
      <div className="m-agent-strip">
        <BusyStrip history={agent.history} color={agent.color} />
        <div className="m-row m-dim m-small">
          <span className="m-grow">{t("overview.last24h")}</span>
          {agent.lastHeartbeatAt === null ? (
            t("agents.noHeartbeat")
          ) : (
            <span>
              {t("agents.heartbeat")} <RelativeTime at={agent.lastHeartbeatAt} />
            </span>
          )}
        </div>
      </div>
      <footer className="m-agent-foot">
        <CommandLine command={`miyabi attach ${agent.slot}`} />
        <span className="m-grow" />
        <AgentActions agent={agent} />
      </footer>
      {opened ? <PaneModal agent={agent} onClose={pane.close} /> : null}
    </article>
  );
}

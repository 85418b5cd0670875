import { Link } from "@tanstack/react-router";
import type { AgentView } from "../../../../src/contract/index.ts";
import { AgentMark } from "../../ui/agent-mark.tsx";
import { useAgentLabel } from "./use-agent-label.ts";

export interface AgentNameProps {
  readonly agent: Pick<AgentView, "name" | "nameJa" | "slot" | "color">;
}

/** An agent's mark and name, leading to its card. */
export function AgentName({ agent }: AgentNameProps) {
  const label = useAgentLabel();
  return (
    <Link to="/agents" hash={agent.slot} className="m-row" style={{ gap: 6, flex: "none" }}>
      <AgentMark {...agent} size={16} />
      <span>{label(agent)}</span>
    </Link>
  );
}

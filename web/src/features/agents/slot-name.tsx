import { useQuery } from "@tanstack/react-query";
import { agentsQuery } from "../../api/queries.ts";
import { AgentName } from "./agent-name.tsx";

export interface SlotNameProps {
  readonly slot: string;
}

/** The agent of a slot by name; the slot's id where the team no longer has it. */
export function SlotName({ slot }: SlotNameProps) {
  const { data } = useQuery(agentsQuery());
  const agent = data?.items.find((one) => one.slot === slot);
  return agent === undefined ? <span className="m-mono">{slot}</span> : <AgentName agent={agent} />;
}

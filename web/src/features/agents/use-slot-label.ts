import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { agentsQuery } from "../../api/queries.ts";
import { useAgentLabel } from "./use-agent-label.ts";

/** Name of the agent in a slot; the slot's id where the team no longer has it. */
export function useSlotLabel(): (slot: string) => string {
  const { data } = useQuery(agentsQuery());
  const label = useAgentLabel();
  return useCallback(
    (slot) => {
      const agent = data?.items.find((one) => one.slot === slot);
      return agent === undefined ? slot : label(agent);
    },
    [data, label],
  );
}

import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";

/** Name of an agent in the viewer's language; a second slot of the same agent keeps its number. */
export function useAgentLabel(): (agent: Pick<AgentView, "name" | "nameJa" | "slot">) => string {
  const { i18n } = useTranslation();
  return useCallback(
    ({ name, nameJa, slot }) => {
      const base = i18n.language === "ja" ? nameJa : name;
      const number = /-(\d+)$/.exec(slot)?.[1];
      return number === undefined || base.endsWith(number) ? base : `${base} ${number}`;
    },
    [i18n.language],
  );
}

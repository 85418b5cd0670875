import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { AgentView, Reason } from "../../../src/contract/index.ts";
import { sayReason } from "./say-reason.ts";

/** Says a reason in the viewer's language; see `sayReason`. */
export function useReason(): (reason: Pick<Reason, "code" | "message" | "params">) => string {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const { language } = i18n;
  return useCallback(
    (reason) =>
      sayReason(reason, {
        find: (key, params) =>
          i18n.exists(key) ? (t as (key: string, params: object) => string)(key, params) : null,
        separator: t("common.comma"),
        nameOf: (slot) => {
          // Only what is loaded already: a sentence is no reason to ask the server for the team.
          const team = client.getQueryData<{ readonly items: readonly AgentView[] }>(["agents"]);
          const agent = team?.items.find((one) => one.slot === slot);
          if (agent === undefined) return slot;
          return language === "ja" ? agent.nameJa : agent.name;
        },
      }),
    [t, i18n, client, language],
  );
}

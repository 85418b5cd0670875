import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { AgentView, Reason } from "../../../src/contract/index.ts";
import { agentsQuery } from "../api/queries.ts";
import { sayReason } from "./say-reason.ts";

type Names = Readonly<Record<string, string>>;
type Team = { readonly items: readonly Pick<AgentView, "slot" | "name" | "nameJa">[] };

// Stable functions with plain results: a sentence is drawn anew when a name changed, not at every heartbeat.
const namesIn: Readonly<Record<"en" | "ja", (team: Team) => Names>> = {
  en: ({ items }) => Object.fromEntries(items.map(({ slot, name }) => [slot, name])),
  ja: ({ items }) => Object.fromEntries(items.map(({ slot, nameJa }) => [slot, nameJa])),
};

/** Says a reason in the viewer's language; see `sayReason`. */
export function useReason(): (reason: Pick<Reason, "code" | "message" | "params">) => string {
  const { t, i18n } = useTranslation();
  // Only what is loaded already: a sentence is no reason to ask the server for the team.
  const { data: names } = useQuery({
    ...agentsQuery(),
    enabled: false,
    select: namesIn[i18n.language === "ja" ? "ja" : "en"],
  });
  return useCallback(
    (reason) =>
      sayReason(reason, {
        find: (key, params) =>
          i18n.exists(key) ? (t as (key: string, params: object) => string)(key, params) : null,
        separator: t("common.comma"),
        nameOf: (slot) => names?.[slot] ?? slot,
      }),
    [t, i18n, names],
  );
}

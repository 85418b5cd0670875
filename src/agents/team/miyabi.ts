import type { Team } from "./team.ts";

/**
 * The default roster. Two coders, because implementing takes longest; Tsubaki and Botan also run the checks.
 * The names are those of trees and flowers: maple, cherry, camellia, peony.
 */
export const miyabiTeam: Team = {
  name: "miyabi",
  members: [
    {
      slot: "conductor",
      name: "Conductor",
      nameJa: "指揮者",
      role: "conductor",
      color: "#5b6472",
      takes: [],
      count: 1,
    },
    {
      slot: "kaede",
      name: "Kaede",
      nameJa: "カエデ",
      role: "code",
      color: "#c8382e",
      takes: ["code"],
      count: 2,
    },
    {
      slot: "sakura",
      name: "Sakura",
      nameJa: "サクラ",
      role: "review",
      color: "#d6608f",
      takes: ["review"],
      count: 1,
    },
    {
      slot: "tsubaki",
      name: "Tsubaki",
      nameJa: "ツバキ",
      role: "pr",
      color: "#1f7a54",
      takes: ["pr", "check"],
      count: 1,
    },
    {
      slot: "botan",
      name: "Botan",
      nameJa: "ボタン",
      role: "deploy",
      color: "#8355c9",
      takes: ["deploy", "check"],
      count: 1,
    },
  ],
};

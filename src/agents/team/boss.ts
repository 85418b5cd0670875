import type { Team } from "./team.ts";

/** The second team template: one plans and accepts, one splits and reviews, specialists implement. */
export const bossTeam: Team = {
  name: "boss",
  members: [
    {
      slot: "grand-boss",
      name: "Grand Boss",
      nameJa: "総監督",
      role: "conductor",
      color: "#5b6472",
      takes: [],
      count: 1,
    },
    {
      slot: "middle-manager",
      name: "Middle Manager",
      nameJa: "中間管理者",
      role: "review",
      color: "#b06a10",
      takes: ["review"],
      count: 1,
    },
    {
      slot: "specialist",
      name: "Specialist",
      nameJa: "実装担当",
      role: "code",
      color: "#2f6fb3",
      takes: ["code", "check"],
      count: 2,
    },
    {
      slot: "checker",
      name: "Checker",
      nameJa: "検査担当",
      role: "pr",
      color: "#1f7a54",
      takes: ["check", "pr", "deploy"],
      count: 1,
    },
  ],
};

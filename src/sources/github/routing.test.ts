import { expect, test } from "vitest";
import { routeOf } from "./routing.ts";
import { githubSettings } from "./settings.ts";

const settings = githubSettings.parse({
  token: "GITHUB_TOKEN",
  repositories: [{ name: "octo/menu" }],
  routes: [
    { label: "agent:codex", profile: "codex" },
    { label: "Documentation", workflow: "docs", role: "writer" },
    { label: "quick", profile: "claude", workflow: "short" },
  ],
});

test("labels choose agent, workflow and role, each by the first route that says it", () => {
  expect(routeOf(settings, ["documentation", "QUICK"])).toEqual({
    class: "P2",
    profile: "claude",
    workflow: "docs",
    role: "writer",
  });
  expect(routeOf(settings, ["quick", "agent:codex"])).toMatchObject({ profile: "codex", workflow: "short" });
});

test("without a label that routes, everything is as usual; the most urgent class counts", () => {
  const usual = { class: "P2", profile: null, workflow: null, role: null };
  expect(routeOf(settings, ["bug"])).toEqual(usual);
  expect(routeOf(settings, ["priority:P1", "Priority:P0"])).toEqual({ ...usual, class: "P0" });
});

import { expect, test } from "vitest";
import { setupGitHub } from "../github-server/scenario.ts";

const WORKFLOW = `version: 1
steps:
  - { name: write, kind: agent, role: code }
  - { name: pull-request, kind: pull-request }
  - { name: ci, kind: wait-ci, onFailure: write }
  - { name: merge, kind: merge, onConflict: write }
`;

test("labels choose the workflow, the agent, the role and the class; a workflow that is not there is named", async () => {
  const { openIssue, settle, database, server } = await setupGitHub({
    files: { ".miyabi/workflows/docs.yaml": WORKFLOW },
    routes: [
      { label: "documentation", workflow: "docs", role: "review" },
      { label: "agent:codex", profile: "codex" },
      { label: "lost", workflow: "lost" },
    ],
  });
  openIssue({ labelledBy: "hanako", labels: ["documentation", "priority:P0"] });
  openIssue({ labelledBy: "hanako", labels: ["agent:codex"] });
  const lost = openIssue({ labelledBy: "hanako", labels: ["lost"] });
  await settle();
  const { rows } = await database.query(
    `select class, profile, (select jsonb_agg(s ->> 'name') from jsonb_array_elements(workflow -> 'steps') s) as steps,
       workflow #>> '{steps,0,role}' as role from miyabi.tasks order by number`,
  );
  expect(rows).toEqual([
    { class: "P0", profile: null, steps: ["write", "pull-request", "ci", "merge"], role: "review" },
    {
      class: "P2",
      profile: "codex",
      steps: ["implement", "review", "pull-request", "ci", "merge"],
      role: "code",
    },
  ]);
  const said = lost.comments.filter(({ user }) => user === server.state.login).map(({ body }) => body);
  expect(said).toEqual([expect.stringContaining(".miyabi/workflows/lost.yaml is not on main")]);
});

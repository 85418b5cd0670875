import { cp } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { labelIssue, openIssue } from "../github-server/people.ts";
import { startHostedProduct } from "../support/hosted-product.ts";
import { createTestRepository } from "../support/repository.ts";

const SAMPLE = path.join(import.meta.dirname, "..", "..", "examples", "sample-project", "project");

const RECIPE = `Add a file.

\`\`\`miyabi-recipe
implement:
  - write:
      path: AUTHORS
      content: "Kaede Tea House\\n"
  - commit: "docs: who made the menu card"
review:
  - approve: One line, as asked.
\`\`\``;

test("the whole product takes a label by its webhook, on a port that serves nothing else", async () => {
  const { server, repository, product, close } = await startHostedProduct({
    name: "octo/menu",
    webhooks: true,
    people: { hanako: "write" },
    fill: async (directory) => {
      await cp(SAMPLE, directory, { recursive: true });
      await createTestRepository(directory, {});
    },
  });
  onTestFinished(close);
  const hook = server.state.hook?.url ?? "";
  for (const elsewhere of ["/", "/api/tasks", "/healthz", "/metrics"])
    expect((await fetch(new URL(elsewhere, hook))).status).toBe(404);
  expect((await fetch(hook, { method: "POST", body: "{}" })).status).toBe(400);

  const issue = openIssue(repository, { title: "Say who made it", body: RECIPE, by: "hanako" });
  labelIssue(server, issue, { name: "miyabi", by: "hanako" });
  const deadline = Date.now() + 120_000;
  while (issue.state !== "closed" && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(issue.state).toBe("closed");
  const tasks = await product.get<{ items: { state: string }[] }>("/api/tasks");
  expect(tasks?.items).toHaveLength(1);
});

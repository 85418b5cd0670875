import { z } from "zod";
import type { Database } from "../../../store/index.ts";
import type { OutboxHandler } from "../../../tasks/index.ts";
import { readIssues } from "../issue-snapshot.ts";
import { hashOfWords } from "../issue-words.ts";
import { anything } from "../replies.ts";
import type { HostedRepositories } from "../repositories.ts";
import type { Trust } from "../trust.ts";
import { readClassification } from "./classification-store.ts";
import { areTrusted, isUnlabelled } from "./classifier.ts";

interface SetLabelsParams {
  readonly database: Database;
  readonly repositories: HostedRepositories;
  readonly trust: Trust;
}

const payloadShape = z.object({ repository: z.string(), number: z.number().int() });

/**
 * Sets the labels that a model chose, where the issue still is what it was asked about and those who wrote it may still start
 * work. An issue that somebody has labelled meanwhile stays as it is; so does one whose labels an earlier try has set.
 */
export function createSetLabelsHandler(params: Readonly<SetLabelsParams>): OutboxHandler<null> {
  return {
    send: async ({ payload }) => {
      const place = payloadShape.parse(payload);
      const chosen = await readClassification(params.database, place);
      const repository = await params.repositories.find(place.repository);
      if (chosen?.state !== "chosen" || repository === null) return null;
      const { client, settings } = repository;
      const issue = (await readIssues(client, settings.name, [place.number])).get(place.number);
      if (issue === undefined || !isUnlabelled(issue) || hashOfWords(issue) !== chosen.textHash) return null;
      if (!(await areTrusted(params.trust, repository, chosen.author, issue))) return null;
      const [owner, repo] = settings.name.split("/");
      await client.call(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
        { owner, repo, issue_number: place.number, labels: chosen.labels },
        anything,
      );
      return null;
    },
    settle: () => Promise.resolve(),
    // Nothing waits for it: a person may set the labels.
    giveUp: () => Promise.resolve(),
  };
}

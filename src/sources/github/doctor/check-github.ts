import { toAppError, type Clock, type Log, type Random } from "../../../base/index.ts";
import { webUrlOf } from "../app/addresses.ts";
import { createGitHubConnection } from "../client.ts";
import { OPTIONAL_FIELDS } from "../issue-snapshot.ts";
import type { GitHubSettings } from "../settings.ts";
import { z } from "zod";
import { checkApp } from "./check-app.ts";
import { checkToken } from "./check-token.ts";
import { checkWebhooks } from "./check-webhooks.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";
import { createRequest } from "./request.ts";

interface CheckGitHubParams {
  readonly settings: GitHubSettings;
  readonly readSecret: (name: string) => string | undefined;
  readonly isRunning: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const SCHEMA = `query { __type(name: "Issue") { fields { name } } }`;
const schemaReply = z.object({
  __type: z.object({ fields: z.array(z.object({ name: z.string() })) }).nullable(),
});

/** Looks whether the connection to GitHub has all that it needs, and changes nothing there. Never throws for what it finds. */
export async function checkGitHub(params: Readonly<CheckGitHubParams>): Promise<readonly Finding[]> {
  const { settings, readSecret, clock, log } = params;
  let connection;
  try {
    connection = createGitHubConnection({ settings, readSecret, clock, log });
  } catch (error) {
    return [notLooked("github", error)];
  }
  const { app } = connection;
  const repositories = settings.repositories.map(({ name }) => name);
  const access =
    app === null
      ? checkToken({
          request: createRequest({ apiUrl: settings.apiUrl, token: readSecret(settings.token ?? "") ?? "" }),
          tokenName: settings.token ?? "",
          webUrl: webUrlOf(settings.apiUrl),
          repositories,
          clock,
        })
      : checkApp({ app, repositories, takesWebhooks: settings.webhooks !== undefined });
  const schema = connection.forRepository(repositories[0] ?? "").then(async (client) => {
    const { __type: type } = await client.graphql(SCHEMA, {}, schemaReply);
    const names = new Set(type?.fields.map(({ name }) => name));
    const missing = OPTIONAL_FIELDS.filter((name) => !names.has(name));
    return missing.length === 0
      ? ok("github.schema", "GraphQL knows dependencies and sub-issues")
      : warn(
          "github.schema",
          `This server's GraphQL has no ${missing.join(" and ")}; an issue waits for what its text names.`,
          "Write `depends: #12` into the text of an issue, or upgrade GitHub Enterprise.",
        );
  });
  const [accessFindings, schemaFinding, hookFindings] = await Promise.all([
    access.catch((error: unknown) => [notLooked("github", error)]),
    // Without access there is no schema to be seen; that is said already.
    schema.catch(() => null),
    checkWebhooks({ ...params, settings: settings.webhooks, app, pollSeconds: settings.pollSeconds }).catch(
      (error: unknown) => [notLooked("github.webhooks", error)],
    ),
  ]);
  return [...accessFindings, ...(schemaFinding === null ? [] : [schemaFinding]), ...hookFindings];
}

function notLooked(name: string, error: unknown): Finding {
  const { message, fix } = toAppError(error);
  return fail(name, message, fix);
}

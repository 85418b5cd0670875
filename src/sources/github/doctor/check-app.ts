import { toAppError, type AppError } from "../../../base/index.ts";
import type { GitHubApp } from "../app/github-app.ts";
import { APP_PERMISSIONS } from "../app/permissions.ts";
import { EVENTS } from "../webhooks/targets.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";
import { permissionFindings, type Granted } from "./permission-findings.ts";

interface CheckAppParams {
  readonly app: GitHubApp;
  readonly repositories: readonly string[];
  readonly takesWebhooks: boolean;
}

/** What the app is granted where it is installed; GitHub says it, nothing is tried out. */
export async function checkApp(params: Readonly<CheckAppParams>): Promise<readonly Finding[]> {
  const { app, repositories } = params;
  const facts = await app.facts();
  const granted = new Map<string, Granted>();
  const troubles: { readonly repository: string; readonly error: AppError }[] = [];
  const pages = new Map<string, string>();
  for (const repository of repositories) {
    try {
      const installation = await app.findInstallation(repository);
      granted.set(repository, installation.permissions as Granted);
      pages.set(repository, installation.html_url ?? facts.html_url);
      // Says whether it is suspended.
      await app.identityFor(repository).authorization();
    } catch (error) {
      troubles.push({ repository, error: toAppError(error) });
    }
  }
  const asked = new Set(facts.events);
  const unheard = params.takesWebhooks ? EVENTS.filter((name) => !asked.has(name)) : [];
  return [
    ok("github", `app "${facts.slug}", installed on ${granted.size} of ${repositories.length} repositories`),
    ...troubles.map(({ repository, error }) =>
      fail("github.installation", `${repository}: ${error.message}`, error.fix),
    ),
    ...(granted.size === 0
      ? []
      : permissionFindings({
          needed: APP_PERMISSIONS,
          granted,
          fix: ({ name, title, level }) =>
            facts.permissions[name] === level
              ? `Accept the app's permissions: ${[...new Set(pages.values())].join(" ")}`
              : `In the app's settings on GitHub (Permissions & events) set ${title} to "${level}", then accept it: ${[...new Set(pages.values())].join(" ")}`,
        })),
    ...(unheard.length === 0
      ? []
      : [
          warn(
            "github.events",
            `The app is not told of: ${unheard.join(", ")}; polling finds it later.`,
            `In the app's settings on GitHub (Permissions & events) subscribe to them: ${facts.html_url}`,
          ),
        ]),
  ];
}

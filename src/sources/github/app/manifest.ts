import { WEBHOOK_PATH } from "../webhooks/listener.ts";
import { EVENTS } from "../webhooks/targets.ts";
import { APP_PERMISSIONS } from "./permissions.ts";

interface ManifestParams {
  /** What GitHub proposes as its name; unique among all apps of the server, the person may change it there. */
  readonly name: string;
  /** Page that the app names as its own. */
  readonly homepage: string;
  /** Where GitHub sends the person back to, with a code. */
  readonly redirectUrl: string;
  /** Where GitHub reaches our webhooks; null: nowhere, changes are only asked for. */
  readonly publicUrl: string | null;
}

export const LONGEST_APP_NAME = 34;

/** An app with exactly what we need, for the account that owns it alone; GitHub's form. Pure. */
export function manifestOf(params: Readonly<ManifestParams>): Readonly<Record<string, unknown>> {
  const { publicUrl } = params;
  return {
    name: params.name.slice(0, LONGEST_APP_NAME),
    description: "Turns issues into merged changes with a team of coding agents.",
    url: params.homepage,
    redirect_url: params.redirectUrl,
    public: false,
    default_permissions: Object.fromEntries(APP_PERMISSIONS.map(({ name, level }) => [name, level])),
    // Without an address for them GitHub takes no events.
    ...(publicUrl === null
      ? {}
      : {
          hook_attributes: { url: webhookUrl(publicUrl), active: true },
          default_events: EVENTS,
        }),
  };
}

/** Where GitHub sends deliveries, below the public address of our listener. */
export const webhookUrl = (publicUrl: string): string => publicUrl.replace(/\/$/, "") + WEBHOOK_PATH;

/** GitHub's page that takes a manifest. */
export const registrationPage = (webUrl: string, organization: string | null): string =>
  `${webUrl}${organization === null ? "" : `/organizations/${encodeURIComponent(organization)}`}/settings/apps/new`;

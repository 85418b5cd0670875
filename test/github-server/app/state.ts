import { generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

export type Level = "read" | "write";
export type Permissions = Readonly<Record<string, Level>>;

export interface Installation {
  readonly id: number;
  readonly account: string;
  permissions: Permissions;
  suspendedAt: string | null;
  /** Names of repositories, `owner/name`; null: all of the account. */
  selected: readonly string[] | null;
}

export interface App {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly owner: string;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  hookUrl: string | null;
  readonly webhookSecret: string | null;
  readonly pem: string;
  readonly publicKey: KeyObject;
  readonly installations: Installation[];
  /** Of its hook, the newest first. */
  readonly deliveries: { status_code: number; status: string; delivered_at: string; event: string }[];
}

export interface IssuedToken {
  readonly token: string;
  readonly installation: number;
  readonly permissions: Permissions;
  /** Names of repositories without owner; null: all of the installation. */
  readonly repositories: readonly string[] | null;
  readonly issuedAt: number;
  readonly expiresAt: number;
  revoked: boolean;
  /** What it was used for, e.g. `git-receive-pack` or `GET /repos/…`. */
  readonly uses: string[];
}

/** How programs connect to the server, and as whom. */
export interface Connection {
  readonly apps: App[];
  readonly tokens: IssuedToken[];
  /** Codes of apps that were made from a manifest and not fetched yet. */
  readonly codes: Map<string, App>;
  /** How long an installation's token lasts. */
  tokenLifetimeMs: number;
  /** What the personal token may; null: everything. */
  personal: Permissions | null;
  /** Scopes of a classic personal token; null: it is a fine-grained one. */
  scopes: string | null;
  /** `/api/v3` for a server like GitHub Enterprise, which has GraphQL at `/api/graphql`. */
  prefix: "" | "/api/v3";
  /** Fields of `Issue` that its GraphQL schema does not have. */
  readonly lacks: Set<string>;
  /** Accounts that are organizations. */
  readonly organizations: Set<string>;
}

export const newConnection = (): Connection => ({
  apps: [],
  tokens: [],
  codes: new Map(),
  tokenLifetimeMs: 3_600_000,
  personal: null,
  scopes: null,
  prefix: "",
  lacks: new Set(),
  organizations: new Set(),
});

/** Somebody registers an app. Its private key is in the form that GitHub hands out. */
export function registerApp(
  connection: Connection,
  params: Readonly<
    Pick<App, "name" | "owner" | "permissions" | "events"> & { readonly hookUrl: string | null }
  >,
): App {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const app: App = {
    ...params,
    id: 4_000 + connection.apps.length,
    slug: params.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
    webhookSecret: params.hookUrl === null ? null : randomBytes(20).toString("hex"),
    pem: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    publicKey,
    installations: [],
    deliveries: [],
  };
  connection.apps.push(app);
  return app;
}

/** Somebody installs an app on their account. */
export function installApp(
  app: App,
  params: Readonly<{ account: string; permissions?: Permissions; selected?: readonly string[] }>,
): Installation {
  const installation: Installation = {
    id: app.id * 100 + app.installations.length,
    account: params.account,
    permissions: params.permissions ?? app.permissions,
    suspendedAt: null,
    selected: params.selected ?? null,
  };
  app.installations.push(installation);
  return installation;
}

/** Somebody removes an installation; its tokens end with it. */
export function removeInstallation(connection: Connection, app: App, installation: Installation): void {
  app.installations.splice(app.installations.indexOf(installation), 1);
  for (const one of connection.tokens) if (one.installation === installation.id) one.revoked = true;
}

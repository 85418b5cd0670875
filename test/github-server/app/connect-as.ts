import type { State } from "../state.ts";
import { installApp, registerApp, type App, type Permissions } from "./state.ts";

export interface ConnectAs {
  /** The product connects as an app with these permissions, installed on `octo`, instead of with a token. */
  readonly app?: Permissions;
  /** The server is a GitHub Enterprise; `lacks`: fields of issues that its GraphQL does not have. */
  readonly enterprise?: { readonly lacks: readonly string[] };
}

/** Prepares the server for who connects, and gives what the product is told: fields of its section `github`, and their secret. */
export function connectAs(
  state: State,
  url: string,
  { app: permissions, enterprise }: ConnectAs,
): { readonly app: App | null; readonly settings: object; readonly secret: string } {
  const { connection, token } = state;
  if (enterprise !== undefined) connection.prefix = "/api/v3";
  for (const name of enterprise?.lacks ?? []) connection.lacks.add(name);
  const apiUrl = `${url}${connection.prefix}`;
  if (permissions === undefined) return { app: null, settings: { apiUrl, token: "SECRET" }, secret: token };
  const app = registerApp(connection, {
    name: "Miyabi Octo",
    owner: "octo",
    permissions,
    events: [],
    hookUrl: null,
  });
  installApp(app, { account: "octo" });
  state.login = `${app.slug}[bot]`;
  // Whoever uses the personal token all the same is refused.
  state.token = "";
  return {
    app,
    settings: { apiUrl, app: { id: app.id, privateKey: "SECRET" } },
    secret: app.pem.replaceAll("\n", "\\n"),
  };
}

import { isMap, isSeq, parseDocument, type Document } from "yaml";
import {
  ensurePrivateDirectory,
  parseYaml,
  readFileIfExists,
  writeFileAtomic,
  type Clock,
  type Home,
} from "../base/index.ts";
import { settings } from "../main/index.ts";
import { hookSecretNameOf } from "./github-secrets.ts";

interface Connection {
  readonly home: Home;
  readonly apiUrl: string;
  readonly app: { readonly id: number; readonly privateKey: string };
  /** `owner/name`; those that are configured stay as they are. */
  readonly repositories: readonly string[];
  /** Where GitHub reaches our webhooks; null: nowhere. */
  readonly publicUrl: string | null;
}

interface Proposal {
  readonly before: string | null;
  readonly text: string;
}

const DEFAULT_API_URL = "https://api.github.com";

/**
 * `miyabi.yaml` with this connection in its section `github`, in place of a token; everything else in it, comments too, stays as it is.
 * @throws config.invalid where it would not be read again
 */
export async function proposeConnection(connection: Readonly<Connection>): Promise<Proposal> {
  const { home, apiUrl, app, publicUrl } = connection;
  const before = await readFileIfExists(home.configFile);
  const document = parseDocument(before ?? "# Settings of this installation of miyabi.\n");
  if (!isMap(document.get("github"))) document.set("github", document.createNode({}));
  document.deleteIn(["github", "token"]);
  if (apiUrl !== DEFAULT_API_URL) document.setIn(["github", "apiUrl"], apiUrl);
  document.setIn(["github", "app"], document.createNode(app));
  if (publicUrl !== null) {
    if (!isMap(document.getIn(["github", "webhooks"])))
      document.setIn(["github", "webhooks"], document.createNode({}));
    document.setIn(["github", "webhooks", "publicUrl"], publicUrl);
    document.setIn(["github", "webhooks", "secretEnv"], hookSecretNameOf(app.id));
  }
  addRepositories(document, connection.repositories);
  const text = document.toString();
  parseYaml({ text, source: home.configFile, schema: settings, code: "config.invalid" });
  return { before, text };
}

function addRepositories(document: Document, names: readonly string[]): void {
  const path = ["github", "repositories"];
  const listed = document.getIn(path);
  const known = new Set(
    (isSeq(listed) ? listed.items : []).map((item) =>
      isMap(item) ? String(item.get("name")).toLowerCase() : "",
    ),
  );
  const added = names.filter((name) => !known.has(name.toLowerCase())).map((name) => ({ name }));
  if (!isSeq(listed)) document.setIn(path, document.createNode(added));
  else for (const one of added) document.addIn(path, document.createNode(one));
}

/** Writes it, the file of before kept beside it. Gives the paths that were written. @throws as `proposeConnection` */
export async function writeConnection(
  connection: Readonly<Connection>,
  clock: Clock,
): Promise<readonly string[]> {
  const { configFile, root } = connection.home;
  const { before, text } = await proposeConnection(connection);
  await ensurePrivateDirectory(root, 0o711);
  const backup = `${configFile}.bak-${clock.now().toISOString().slice(0, 19).replaceAll(/[:T]/g, "-")}`;
  if (before !== null) await writeFileAtomic(backup, before);
  await writeFileAtomic(configFile, text);
  return before === null ? [configFile] : [backup, configFile];
}

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { State } from "../state.ts";
import { registerApp, type Permissions } from "./state.ts";

interface Manifest {
  readonly name?: string;
  readonly url?: string;
  readonly redirect_url?: string;
  readonly default_permissions?: Permissions;
  readonly default_events?: readonly string[];
  readonly hook_attributes?: { readonly url?: string; readonly active?: boolean };
}

const PAGE = /^(?:\/organizations\/([^/]+))?\/settings\/apps\/(new|create)$/;
const escaped = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

/** GitHub's two pages of the manifest flow, for the person `owner`: confirm the name, then back with a code. False: no such page. */
export async function answerPage(
  state: State,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const match = PAGE.exec(url.pathname);
  if (match === null) return false;
  const [, organization, step] = match;
  const form = new URLSearchParams(await text(request));
  const manifest = JSON.parse(form.get("manifest") ?? "{}") as Manifest;
  const problem =
    manifest.url === undefined || manifest.redirect_url === undefined
      ? "Invalid GitHub App configuration: url and redirect_url are needed"
      : manifest.hook_attributes === undefined && (manifest.default_events ?? []).length > 0
        ? "Invalid GitHub App configuration: events need a hook"
        : null;
  if (request.method !== "POST" || problem !== null) {
    response.writeHead(422, { "content-type": "text/html; charset=utf-8" }).end(problem ?? "POST a manifest");
    return true;
  }
  const key = form.get("state") ?? url.searchParams.get("state") ?? "";
  if (step === "new") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(
      `<!doctype html><form method="post" action="${url.pathname.replace(/new$/, "create")}">` +
        `<input name="name" value="${escaped(manifest.name ?? "")}">` +
        `<input type="hidden" name="state" value="${escaped(key)}">` +
        `<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}">` +
        `<button id="create">Create GitHub App</button></form>`,
    );
    return true;
  }
  const app = registerApp(state.connection, {
    name: form.get("name") ?? manifest.name ?? "",
    owner: organization ?? "hanako",
    permissions: manifest.default_permissions ?? {},
    events: manifest.default_events ?? [],
    hookUrl: manifest.hook_attributes?.url ?? null,
  });
  const code = randomBytes(20).toString("hex");
  state.connection.codes.set(code, app);
  const back = new URL(manifest.redirect_url ?? "");
  back.searchParams.set("code", code);
  back.searchParams.set("state", key);
  response.writeHead(302, { location: back.href }).end();
  return true;
}

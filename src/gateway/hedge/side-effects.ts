import { parseJson } from "../../base/index.ts";
import type { EndpointName } from "../endpoints.ts";
import { objectOf, type JsonObject } from "../usage/usage.ts";

/** What a call may do beside being answered. `tools`: its caller may run tools that the answer calls. */
export type SideEffects = "none" | "tools" | "provider";

/** Fields by which a request changes something at its provider, or lets it act. */
const ACTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  background: (value) => value === true,
  store: (value) => value === true,
  conversation: (value) => value != null,
  container: (value) => value != null,
  mcp_servers: (value) => isFilled(value),
  plugins: (value) => isFilled(value),
  web_search_options: (value) => value != null,
};

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** What is not known to be without side effects counts as having them. */
export function sideEffectsOf(endpoint: EndpointName, body: Buffer): SideEffects {
  const parsed = parseJson(body.toString("utf8"));
  if (typeof parsed !== "object" || parsed === null) return "provider";
  const fields = objectOf(parsed);
  if (Object.entries(ACTS).some(([name, acts]) => acts(fields[name]))) return "provider";
  const tools = [fields["tools"], fields["functions"]].flatMap((list) => (Array.isArray(list) ? list : []));
  if (tools.length === 0) return "none";
  return tools.every((tool) => isRunByCaller(endpoint, objectOf(tool))) ? "tools" : "provider";
}

const CALLERS_TYPES = new Set<unknown>([undefined, null, "function", "custom"]);
const GEMINI_DECLARATIONS = new Set(["functionDeclarations", "function_declarations"]);

function isRunByCaller(endpoint: EndpointName, tool: JsonObject): boolean {
  return endpoint === "generate_content"
    ? Object.keys(tool).every((name) => GEMINI_DECLARATIONS.has(name))
    : CALLERS_TYPES.has(tool["type"]);
}

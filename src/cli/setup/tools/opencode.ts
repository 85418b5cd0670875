import type { Change, Json } from "../formats/index.ts";
import { valueAt } from "../formats/index.ts";
import { isClaude, set, type Facts, type Tool } from "./tool.ts";

const CHAT = { id: "miyabi", name: "Miyabi gateway", npm: "@ai-sdk/openai-compatible" } as const;
/** In the provider's own dialect prompt caching and thinking work as they do at the provider. */
const CLAUDE = {
  id: "miyabi-anthropic",
  name: "Miyabi gateway (Anthropic)",
  npm: "@ai-sdk/anthropic",
} as const;
/** A list of hundreds of models helps nobody. */
const MOST_MODELS = 40;

export const opencode: Tool = {
  title: "opencode",
  programs: ["opencode"],
  traces: [],
  knows: null,
  endpoint: (model) => (isClaude(model) ? "messages" : "chat_completions"),
  targets: (place, facts) => {
    const config = place.env["XDG_CONFIG_HOME"] ?? "";
    const directory = `${config === "" ? `${place.home}/.config` : config}/opencode`;
    return [
      {
        files: ["opencode.json", "opencode.jsonc", "config.json"].map((name) => `${directory}/${name}`),
        format: "json",
        changes: (current) => changesOf(current, facts),
      },
    ];
  },
  notes: () => [],
};

function changesOf(current: Json, { gateway, key, model, offered }: Facts): readonly Change[] {
  const models = [...new Set([...(model === null ? [] : [model]), ...offered.slice(0, MOST_MODELS)])];
  const changes: Change[] = [];
  const used: string[] = [];
  for (const provider of [CHAT, CLAUDE]) {
    const own = models.filter((one) => isClaude(one) === (provider === CLAUDE));
    if (own.length === 0) continue;
    used.push(provider.id);
    const at = ["provider", provider.id] as const;
    changes.push(
      set(provider.npm, ...at, "npm"),
      set(provider.name, ...at, "name"),
      set(`${gateway}/v1`, ...at, "options", "baseURL"),
      set(key, ...at, "options", "apiKey"),
      // What the person has written about a model stays.
      ...own
        .filter((one) => valueAt(current, [...at, "models", one]) === undefined)
        .map((one) => set({}, ...at, "models", one)),
    );
  }
  const enabled = valueAt(current, ["enabled_providers"]);
  if (Array.isArray(enabled)) {
    const all = [...new Set([...(enabled as readonly Json[]), ...used])];
    if (all.length > enabled.length) changes.push(set(all, "enabled_providers"));
  }
  const provider = isClaude(model ?? "") ? CLAUDE : CHAT;
  if (model !== null) changes.push(set(`${provider.id}/${model}`, "model"));
  return changes;
}

import { directoryOf, set, type Tool } from "./tool.ts";

const PROVIDER = ["model_providers", "miyabi"] as const;
const KEY_VARIABLE = "MIYABI_GATEWAY_KEY";

export const codex: Tool = {
  title: "Codex",
  programs: ["codex"],
  traces: [],
  knows: /^(gpt-5|gpt-[6-9]|o[34])/,
  endpoint: () => "responses",
  targets: (place, { gateway, key, model }) => {
    const directory = directoryOf(place, "CODEX_HOME", ".codex");
    return [
      {
        files: [`${directory}/config.toml`],
        format: "toml",
        changes: () => [
          ...(model === null ? [] : [set(model, "model")]),
          set("miyabi", "model_provider"),
          set("Miyabi gateway", ...PROVIDER, "name"),
          set(`${gateway}/v1`, ...PROVIDER, "base_url"),
          set("responses", ...PROVIDER, "wire_api"),
          set(KEY_VARIABLE, ...PROVIDER, "env_key"),
          // The gateway tries again by itself; more here would only hide a used-up limit for minutes.
          set(1, ...PROVIDER, "request_max_retries"),
          set(1, ...PROVIDER, "stream_max_retries"),
        ],
      },
      // Codex reads it at its start; its settings then hold no key.
      { files: [`${directory}/.env`], format: "dotenv", changes: () => [set(key, KEY_VARIABLE)] },
    ];
  },
  notes: () => [],
};

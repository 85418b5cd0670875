import type { Change, Json } from "../formats/index.ts";
import { directoryOf, isClaude, type Place, type Tool } from "./tool.ts";

const KEY_VARIABLE = "MIYABI_GATEWAY_KEY";
const ENTRY = { field: "name", is: "Miyabi gateway" } as const;
const directory = (place: Place): string => directoryOf(place, "CONTINUE_GLOBAL_DIR", ".continue");

export const continueDev: Tool = {
  title: "Continue",
  programs: ["cn"],
  traces: [".continue"],
  knows: null,
  endpoint: (model) => (isClaude(model) ? "messages" : "chat_completions"),
  legacy: {
    file: (place) => `${directory(place)}/config.json`,
    what: "Continue still reads config.json here, and would no longer do so beside a config.yaml",
    fix: "Let Continue convert it to config.yaml (https://docs.continue.dev/reference/yaml-migration), then run this again.",
  },
  targets: (place, { gateway, key, model }) => [
    {
      files: [`${directory(place)}/config.yaml`, `${directory(place)}/config.yml`],
      format: "yaml",
      changes: (current) => {
        const own = (value: Json | undefined, name: string): Change => ({
          path: ["models", ENTRY, name],
          value,
        });
        const isNative = isClaude(model ?? "");
        return [
          ...missing(current, { name: "Local config", version: "1.0.0", schema: "v1" }),
          own(isNative ? "anthropic" : "openai", "provider"),
          own(model ?? "", "model"),
          // Without the slash one of its clients leaves the last part out.
          own(`${gateway}/v1/`, "apiBase"),
          own(`\${{ secrets.${KEY_VARIABLE} }}`, "apiKey"),
          own(["chat", "edit", "apply"], "roles"),
        ];
      },
    },
    {
      files: [`${directory(place)}/.env`],
      format: "dotenv",
      changes: () => [{ path: [KEY_VARIABLE], value: key }],
    },
  ],
  notes: () => [],
};

/** What every file of Continue's has to have. */
function missing(current: Json, wanted: Readonly<Record<string, string>>): readonly Change[] {
  return Object.entries(wanted)
    .filter(([name]) => typeof current !== "object" || current === null || !(name in current))
    .map(([name, value]) => ({ path: [name], value }));
}

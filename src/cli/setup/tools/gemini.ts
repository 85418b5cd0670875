import { directoryOf, set, type Tool } from "./tool.ts";

export const gemini: Tool = {
  title: "Gemini CLI",
  programs: ["gemini"],
  traces: [],
  knows: /^gemini-/,
  endpoint: () => "generate_content",
  targets: (place, { gateway, key, model }) => {
    const directory = `${directoryOf(place, "GEMINI_CLI_HOME", "").replace(/\/$/, "")}/.gemini`;
    return [
      {
        files: [`${directory}/settings.json`],
        format: "json",
        changes: () => [
          set("gemini-api-key", "security", "auth", "selectedType"),
          ...(model === null ? [] : [set(model, "model", "name")]),
        ],
      },
      {
        files: [`${directory}/.env`],
        format: "dotenv",
        changes: () => [set(key, "GEMINI_API_KEY"), set(gateway, "GOOGLE_GEMINI_BASE_URL")],
      },
    ];
  },
  notes: () => [
    "Gemini CLI reads its .env in folders that it trusts only (in scripts: GEMINI_CLI_TRUST_WORKSPACE=true), and of several the nearest: a project with a .env of its own needs GEMINI_API_KEY and GOOGLE_GEMINI_BASE_URL in it too.",
  ],
};

import { directoryOf, set, type Tool } from "./tool.ts";

export const claude: Tool = {
  title: "Claude Code",
  programs: ["claude"],
  traces: [],
  knows: /^claude-/,
  endpoint: () => "messages",
  targets: (place, { gateway, key, model }) => [
    {
      files: [`${directoryOf(place, "CLAUDE_CONFIG_DIR", ".claude")}/settings.json`],
      format: "json",
      changes: () => [
        set(gateway, "env", "ANTHROPIC_BASE_URL"),
        // Unlike ANTHROPIC_API_KEY it needs no consent in the terminal, and a login of Claude's stays behind it.
        set(key, "env", "ANTHROPIC_AUTH_TOKEN"),
        // Its small calls go to a model of its own choice otherwise, which the gateway may not have.
        ...(model === null
          ? []
          : ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"].map((name) => set(model, "env", name))),
      ],
    },
  ],
  notes: () => [],
};

import { set, type Tool } from "./tool.ts";

export const aider: Tool = {
  title: "Aider",
  programs: ["aider"],
  traces: [],
  knows: null,
  endpoint: () => "chat_completions",
  targets: (place, { gateway, key, model }) => [
    {
      files: [`${place.home}/.aider.conf.yml`],
      format: "yaml",
      changes: () => [
        // Whatever the model: the prefix says that it is asked for in OpenAI's dialect.
        set(`openai/${model ?? ""}`, "model"),
        set(`${gateway}/v1`, "openai-api-base"),
        set(key, "openai-api-key"),
      ],
    },
  ],
  notes: () => [],
};

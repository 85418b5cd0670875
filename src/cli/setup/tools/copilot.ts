import { directoryOf, isClaude, set, type Place, type Target, type Tool } from "./tool.ts";

const MARK = "# miyabi setup copilot";

/** It takes its provider from the environment only: a file of ours, read by the shell's own start file. */
export const copilot: Tool = {
  title: "GitHub Copilot CLI",
  programs: ["copilot"],
  traces: [],
  knows: null,
  endpoint: (model) =>
    isClaude(model) ? "messages" : wantsResponses(model) ? "responses" : "chat_completions",
  targets: (place, { gateway, key, model }) => {
    const file = environmentFile(place);
    const name = model ?? "";
    return [
      {
        files: [file],
        format: "exports",
        changes: () => [
          set(isClaude(name) ? gateway : `${gateway}/v1`, "COPILOT_PROVIDER_BASE_URL"),
          set(isClaude(name) ? "anthropic" : "openai", "COPILOT_PROVIDER_TYPE"),
          set(wantsResponses(name) ? "responses" : "completions", "COPILOT_PROVIDER_WIRE_API"),
          set(key, "COPILOT_PROVIDER_API_KEY"),
          set(name, "COPILOT_MODEL"),
        ],
      },
      startFile(place, file),
    ];
  },
  notes: (place) => [
    `Copilot reads its provider from the environment: open a new shell, or type . ${environmentFile(place)}`,
  ],
};

/** As Copilot's own help says. */
const wantsResponses = (model: string): boolean => /^(gpt-[5-9]|o\d)/.test(model);

const environmentFile = (place: Place): string =>
  `${directoryOf(place, "COPILOT_HOME", ".copilot")}/miyabi.env`;

function startFile(place: Place, file: string): Target {
  const shell = /[^/]*$/.exec(place.env["SHELL"] ?? "")?.[0];
  const files: Readonly<Record<string, string>> = {
    bash: `${place.home}/.bashrc`,
    zsh: `${directoryOf(place, "ZDOTDIR", "")}/.zshrc`.replace("//", "/"),
    fish: `${place.home}/.config/fish/config.fish`,
  };
  return {
    files: [files[shell ?? ""] ?? `${place.home}/.profile`],
    format: "marked-line",
    changes: () => [set(`[ -r "${file}" ] && . "${file}"`, MARK)],
  };
}

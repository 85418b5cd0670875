import path from "node:path";
import type { ToolName } from "../../src/cli/setup/tools/index.ts";

/** A coding tool as a person would start it, after `miyabi setup`. Versions are exact: flags change between them. */
export interface Program {
  readonly tool: ToolName;
  readonly npm: string;
  /** `modules`: the directory of the installed packages. */
  readonly command: (modules: string, prompt: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const platform = `${process.platform}-${process.arch}`;
const node = process.execPath;

export const PROGRAMS: readonly Program[] = [
  {
    tool: "claude",
    npm: "@anthropic-ai/claude-code@2.1.329",
    command: (modules, prompt) => [
      path.join(modules, `@anthropic-ai/claude-code-${platform}/claude`),
      "-p",
      prompt,
      "--dangerously-skip-permissions",
    ],
    // It refuses to skip permissions as root elsewhere.
    env: { IS_SANDBOX: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_AUTOUPDATER: "1" },
  },
  {
    tool: "codex",
    npm: "@openai/codex@0.169.0",
    command: (modules, prompt) => [
      node,
      path.join(modules, "@openai/codex/bin/codex.js"),
      "exec",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      prompt,
    ],
    env: {},
  },
  {
    tool: "gemini",
    npm: "@google/gemini-cli@0.61.0",
    command: (modules, prompt) => [
      node,
      path.join(modules, "@google/gemini-cli/bundle/gemini.js"),
      "--yolo",
      "-p",
      prompt,
    ],
    // It reads its .env in folders that it trusts only.
    env: { GEMINI_CLI_NO_RELAUNCH: "true", GEMINI_CLI_TRUST_WORKSPACE: "true" },
  },
  {
    tool: "opencode",
    npm: "opencode-ai@1.18.33",
    // Its `bin` is a stand-in until an install script has run; the platform's package holds the program.
    command: (modules, prompt) => [path.join(modules, `opencode-${platform}/bin/opencode`), "run", prompt],
    env: { OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" },
  },
  {
    tool: "continue",
    npm: "@continuedev/cli@1.5.47",
    command: (modules, prompt) => [
      node,
      path.join(modules, "@continuedev/cli/dist/cn.js"),
      "-p",
      "--auto",
      prompt,
    ],
    env: { CONTINUE_TELEMETRY_ENABLED: "0" },
  },
  {
    tool: "copilot",
    npm: "@github/copilot@1.0.102",
    // Through a login shell, because its settings are in the shell's start file.
    command: (modules, prompt) => [
      "/bin/sh",
      "-lc",
      '. "$HOME/.profile"; exec "$0" "$@"',
      node,
      path.join(modules, "@github/copilot/npm-loader.js"),
      "--allow-all-tools",
      "-p",
      prompt,
    ],
    env: { COPILOT_OFFLINE: "true", COPILOT_AUTO_UPDATE: "false" },
  },
];

import type { z } from "zod";
import type { agentProfile } from "../profile.ts";

/*
 * Agents that we know how to start. Versions are exact, because flags and protocol details change between them;
 * `npm run test:agents` drives them against a mock model server. Nothing here is a real key: the gateway knows a run by its
 * socket and holds the keys itself.
 * Tools are not allowed in advance: agents ask, and the profile's `permissions` answer.
 */

type ProfileInput = z.input<typeof agentProfile>;

const modules = "{package}/node_modules";

const CODEX_CONFIG = `model_provider = "gw"
check_for_update_on_startup = false

[model_providers.gw]
name = "Miyabi gateway"
base_url = "{gateway}/v1"
wire_api = "responses"
env_key = "CODEX_API_KEY"
# The gateway retries by itself; more here would only hide a used-up limit for minutes.
request_max_retries = 1
stream_max_retries = 1

[features]
plugins = false
apps = false
remote_plugin = false

[analytics]
enabled = false
`;

const claude: ProfileInput = {
  name: "claude",
  title: "Claude Code",
  driver: "acp",
  npm: "@agentclientprotocol/claude-agent-acp@0.100.0",
  command: "{node}",
  args: [`${modules}/@agentclientprotocol/claude-agent-acp/dist/index.js`],
  env: {
    ANTHROPIC_BASE_URL: "{gateway}",
    ANTHROPIC_API_KEY: "{key}",
    ANTHROPIC_MODEL: "{model}",
    // Hides our MCP tools behind a search otherwise.
    ENABLE_TOOL_SEARCH: "false",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  },
  resume: "resume",
  sessionMeta: { claudeCode: { options: { allowedTools: ["mcp__miyabi"] } } },
};

const codex: ProfileInput = {
  name: "codex",
  title: "Codex",
  driver: "acp",
  npm: "@agentclientprotocol/codex-acp@2.6.0",
  command: "{node}",
  args: [`${modules}/@agentclientprotocol/codex-acp/dist/index.js`],
  env: {
    CODEX_API_KEY: "{key}",
    CODEX_HOME: "{home}/.codex",
    NO_BROWSER: "1",
    // Its other modes start each command in a sandbox of its own, which cannot be made inside ours, and do not ask us either.
    INITIAL_AGENT_MODE: "agent-full-access",
  },
  files: { ".codex/config.toml": CODEX_CONFIG },
  resume: "resume",
};

const copilot: ProfileInput = {
  name: "copilot",
  title: "GitHub Copilot",
  driver: "acp",
  npm: "@github/copilot@1.0.102",
  command: "{node}",
  args: [`${modules}/@github/copilot/npm-loader.js`, "--acp"],
  env: {
    COPILOT_PROVIDER_BASE_URL: "{gateway}/v1",
    COPILOT_PROVIDER_TYPE: "openai",
    COPILOT_PROVIDER_API_KEY: "{key}",
    COPILOT_MODEL: "{model}",
    COPILOT_OFFLINE: "true",
  },
  resume: "load",
};

const opencode: ProfileInput = {
  name: "opencode",
  title: "opencode",
  driver: "acp",
  npm: "opencode-ai@1.18.33",
  // Its `bin` is a stand-in until an install script has run; the platform's package holds the program.
  command: `${modules}/opencode-{platform}/bin/opencode`,
  args: ["acp"],
  env: {
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      enabled_providers: ["gw"],
      provider: {
        gw: {
          npm: "@ai-sdk/openai-compatible",
          name: "Miyabi gateway",
          options: { baseURL: "{gateway}/v1", apiKey: "{key}" },
          models: { "{model}": {} },
        },
      },
      model: "gw/{model}",
      permission: { edit: "ask", bash: "ask", "*": "ask" },
    }),
  },
  model: "default",
  resume: "resume",
};

const gemini: ProfileInput = {
  name: "gemini",
  title: "Gemini CLI",
  driver: "acp",
  npm: "@google/gemini-cli@0.61.0",
  command: "{node}",
  args: [`${modules}/@google/gemini-cli/bundle/gemini.js`, "--acp"],
  env: {
    GEMINI_API_KEY: "{key}",
    GOOGLE_GEMINI_BASE_URL: "{gateway}",
    GEMINI_CLI_NO_RELAUNCH: "true",
  },
  files: {
    ".gemini/settings.json": JSON.stringify({
      model: { name: "{model}" },
      security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
      privacy: { usageStatisticsEnabled: false },
      general: { disableAutoUpdate: true },
    }),
  },
  model: "gemini-2.5-pro",
};

const qwen: ProfileInput = {
  name: "qwen",
  title: "Qwen Code",
  driver: "acp",
  npm: "@qwen-code/qwen-code@0.24.4",
  command: "{node}",
  args: [`${modules}/@qwen-code/qwen-code/cli-entry.js`, "--acp"],
  env: {
    OPENAI_API_KEY: "{key}",
    OPENAI_BASE_URL: "{gateway}/v1",
    OPENAI_MODEL: "{model}",
  },
  authMethod: "openai",
  model: "default",
  resume: "load",
};

const aider: ProfileInput = {
  name: "aider",
  title: "Aider",
  driver: "command",
  command: "aider",
  args: [
    "--message-file",
    "{promptFile}",
    "--yes",
    "--no-stream",
    "--no-pretty",
    "--no-check-update",
    "--no-show-release-notes",
    "--analytics-disable",
  ],
  env: {
    OPENAI_API_BASE: "{gateway}/v1",
    OPENAI_API_KEY: "{key}",
    AIDER_MODEL: "openai/{model}",
  },
  promptBy: "file",
};

const claudePrint: ProfileInput = {
  ...claude,
  name: "claude-print",
  title: "Claude Code (claude -p)",
  driver: "command",
  npm: null,
  command: "claude",
  args: ["-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"],
  sessionMeta: {},
  resume: "none",
  output: "claude-stream-json",
};

const codexExec: ProfileInput = {
  ...codex,
  name: "codex-exec",
  title: "Codex (codex exec)",
  driver: "command",
  npm: null,
  command: "codex",
  args: ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-"],
  resume: "none",
  output: "codex-json",
};

const sample: ProfileInput = {
  name: "sample",
  title: "Sample agent (no model)",
  driver: "acp",
  command: "{node}",
  args: ["{package}"],
  resume: "load",
  terminal: { command: "{node}", args: ["{package}", "--terminal", "{session}"] },
};

/** Name of the stand-in that needs no model. */
export const SAMPLE_PROFILE = "sample";

export const SHIPPED_PROFILES: readonly ProfileInput[] = [
  claude,
  codex,
  copilot,
  opencode,
  gemini,
  qwen,
  aider,
  claudePrint,
  codexExec,
  sample,
];

import { z } from "zod";

/**
 * How one coding agent is started: data, not code, with pinned versions. Strings may hold placeholders:
 * `{gateway}` base URL of the gateway inside the sandbox (no `/v1`), `{mcp}` URL of our MCP server inside the sandbox,
 * `{key}` a value that stands for a key (the run's socket is the identity; nothing secret), `{home}` the private home,
 * `{cwd}` the clone, `{model}` the configured model, `{session}` the agent's own session id, `{package}` the directory
 * that holds the agent's installed npm package, `{node}` the Node binary that runs us (agents need a newer one than the
 * system's), `{platform}` e.g. `linux-x64`. Command driver, in `args` only: `{prompt}` the prompt, `{promptFile}` the file that holds it.
 */
export const agentProfile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** What people call it, e.g. `Claude Code`. */
  title: z.string(),
  driver: z.enum(["acp", "command"]),
  /** npm package with exact version that provides the command, or null for a program on the host's PATH. */
  npm: z.string().nullable().default(null),
  command: z.string(),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** Files written into the private home before start: relative path → content (placeholders apply). */
  files: z.record(z.string(), z.string()).default({}),
  /** How a session continues in a new process. */
  resume: z.enum(["load", "resume", "none"]).default("none"),
  /** `_meta` of ACP's `session/new`, e.g. Claude's allowed tools. */
  sessionMeta: z.record(z.string(), z.unknown()).default({}),
  /** ACP `authenticate` method to call after `initialize`, where the agent demands one. */
  authMethod: z.string().nullable().default(null),
  /** ACP session mode to set after `session/new`. */
  mode: z.string().nullable().default(null),
  model: z.string().nullable().default(null),
  /** Answer to permission requests that no rule decides: `auto` allows, `ask` asks a person, `forbid` denies. */
  permissions: z.enum(["auto", "ask", "forbid"]).default("auto"),
  /** The agent's own terminal program on the same session, for `takeover`; null: a shell in the clone. */
  terminal: z
    .strictObject({ command: z.string(), args: z.array(z.string()) })
    .nullable()
    .default(null),
  /** Command driver: how the prompt reaches the program. */
  promptBy: z.enum(["stdin", "argument", "file"]).default("stdin"),
  /** Command driver: format of standard output. */
  output: z.enum(["text", "json-lines", "claude-stream-json", "codex-json"]).default("text"),
  /** Host names the agent needs beyond the gateway; empty for all shipped profiles. */
  egress: z.array(z.string()).default([]),
});
export type AgentProfile = z.infer<typeof agentProfile>;

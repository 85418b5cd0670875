import { aider } from "./aider.ts";
import { claude } from "./claude.ts";
import { codex } from "./codex.ts";
import { continueDev } from "./continue.ts";
import { copilot } from "./copilot.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";
import type { Tool } from "./tool.ts";

export const TOOLS = {
  claude,
  codex,
  continue: continueDev,
  aider,
  opencode,
  copilot,
  gemini,
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

export type { Endpoint, Facts, Place, Tool } from "./tool.ts";

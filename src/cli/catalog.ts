import type { Command } from "commander";

type Group = "letters" | "run" | "task" | "look" | "agent" | "ask" | "logs" | "setup" | "gateway";

interface Entry {
  /** Name and arguments as commander reads them. */
  readonly signature: string;
  readonly summary: string;
  readonly group: Group;
}

/**
 * Every top-level command. The list of `miyabi --help` comes from here alone; options and work of a command are
 * loaded with its group, so that a command pays only for what it uses.
 */
export const COMMANDS = {
  up: { signature: "up", summary: "start and stay in the foreground", group: "run" },
  start: { signature: "start", summary: "start in the background (up --detach)", group: "run" },
  demo: {
    signature: "demo",
    summary: "let the team carry a sample project's issues to merged changes",
    group: "run",
  },
  shutdown: {
    signature: "shutdown",
    summary: "end agents, control plane and database in order",
    group: "run",
  },
  init: { signature: "init", summary: "set the product up for your repository", group: "setup" },
  doctor: {
    signature: "doctor",
    summary: "check everything the product needs, with the fix for what is missing",
    group: "setup",
  },
  setup: {
    signature: "setup [tool]",
    summary: "point claude, codex, continue, aider, opencode, copilot or gemini at the gateway",
    group: "setup",
  },
  login: {
    signature: "login",
    summary: "print a link that signs your browser in, once, within 10 minutes",
    group: "setup",
  },
  status: {
    signature: "status",
    summary: "what runs, waits and failed, and whether every part is well",
    group: "look",
  },
  task: { signature: "task", summary: "add, look at and steer tasks", group: "task" },
  ask: { signature: "ask", summary: "what waits for a person, and its answer", group: "ask" },
  agents: { signature: "agents", summary: "the team, agent by agent", group: "agent" },
  attach: {
    signature: "attach <agent>",
    summary: "show the agent's pane (Ctrl-b d leaves it)",
    group: "agent",
  },
  tell: {
    signature: "tell <agent> <text>",
    summary: "say something to the agent at its work",
    group: "agent",
  },
  takeover: {
    signature: "takeover <task>",
    summary: "work in the agent's own terminal yourself",
    group: "agent",
  },
  handback: {
    signature: "handback <task>",
    summary: "give a taken-over task back, with your commits",
    group: "agent",
  },
  restart: {
    signature: "restart [agent]",
    summary: "end agent hosts and start new ones; their work resumes",
    group: "agent",
  },
  drain: {
    signature: "drain <agent>",
    summary: "let the agent finish its run and take no other",
    group: "agent",
  },
  providers: {
    signature: "providers",
    summary: "model providers, and which endpoints each serves",
    group: "gateway",
  },
  keys: {
    signature: "keys",
    summary: "keys of people, tools and teams, with their limits",
    group: "gateway",
  },
  calls: {
    signature: "calls",
    summary: "model calls with tokens and cost, and what was said where that is kept",
    group: "gateway",
  },
  cache: { signature: "cache", summary: "kept answers of models", group: "gateway" },
  "dead-letters": {
    signature: "dead-letters",
    summary: "what could not be delivered: look at it, try it again, discard it",
    group: "letters",
  },
  logs: { signature: "logs", summary: "transcripts of runs, and the product's own log", group: "logs" },
} as const satisfies Record<string, Entry>;

export type CommandName = keyof typeof COMMANDS;

/** Adds a command with the name and summary of the catalogue; its group adds options and work. */
export function declare(program: Command, name: CommandName): Command {
  const { signature, summary } = COMMANDS[name];
  return program.command(signature).description(summary);
}

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

import { z } from "zod";
import { AppError, messageOf, parseYaml, readFileIfExists, type Home } from "../base/index.ts";
import { profileOverride, resolveProfile, shippedTeam, slotsOf, team, type Team } from "../agents/index.ts";
import { chatSettings } from "../chat/index.ts";
import { gatewaySettings } from "../gateway/index.ts";
import { githubSettings } from "../sources/index.ts";

/** `miyabi.yaml`: settings of the installation. Everything has a default; unknown fields are refused. */
const fields = z.strictObject({
  /** Port of console and API on 127.0.0.1. */
  port: z.number().int().min(1).max(65_535).default(8000),
  /** Name of a shipped team (`miyabi`, `boss`) or a team of one's own. */
  team: z.union([z.string(), team]).default("miyabi"),
  /** Agent profile of members that name none. */
  agent: z.string().default("sample"),
  agents: z
    .strictObject({
      profiles: z.record(z.string(), profileOverride).default({}),
      /** Profiles that take over where another one's usage limit is reached, e.g. `claude: [codex]`. */
      instead: z.record(z.string(), z.array(z.string()).min(1)).default({}),
    })
    .prefault({}),
  /** Where agent hosts run; null: tmux where it is installed, else plain processes. */
  runtime: z.enum(["tmux", "process"]).nullable().default(null),
  /** Host names beside localhost under which the console is opened. */
  hosts: z.array(z.string()).default([]),
  limits: z
    .strictObject({
      /** A run whose commands or agent print more is ended. */
      outputBytes: z
        .number()
        .int()
        .positive()
        .default(64 * 1024 * 1024),
      /** Largest size of a session's clone and home together. */
      diskBytes: z
        .number()
        .int()
        .positive()
        .default(5 * 1024 * 1024 * 1024),
      /** Largest hand-over. */
      handoverBytes: z
        .number()
        .int()
        .positive()
        .default(100 * 1024 * 1024),
    })
    .prefault({}),
  gateway: gatewaySettings.prefault({}),
  chat: chatSettings.prefault({}),
  /** Repositories on GitHub whose issues become tasks; absent: none. */
  github: githubSettings.optional(),
});
export const settings = fields.superRefine((value, context) => {
  for (const { path, message } of unknownNames(value))
    context.addIssue({ code: "custom", path: [...path], message });
});
export type Settings = z.infer<typeof settings>;

interface UnknownName {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Names in the settings that lead nowhere: a run that meets one would only fail later. */
function unknownNames(value: z.infer<typeof fields>): UnknownName[] {
  const { profiles } = value.agents;
  const found: UnknownName[] = [];
  const tryOut = (path: UnknownName["path"], look: () => unknown): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      found.push({ path, message: error.message });
    }
  };
  for (const name of Object.keys(profiles))
    tryOut(["agents", "profiles", name], () => resolveProfile(name, profiles));
  for (const [name, others] of Object.entries(value.agents.instead)) {
    tryOut(["agents", "instead", name], () => resolveProfile(name, profiles));
    for (const [index, other] of others.entries())
      tryOut(["agents", "instead", name, index], () => resolveProfile(other, profiles));
  }
  for (const [index, { profile }] of (value.github?.routes ?? []).entries())
    if (profile !== undefined)
      tryOut(["github", "routes", index, "profile"], () => resolveProfile(profile, profiles));
  tryOut(["agent"], () => resolveProfile(value.agent, profiles));
  if (typeof value.team === "string") {
    const { team: name } = value;
    tryOut(["team"], () => shippedTeam(name));
    return found;
  }
  for (const [index, { profile }] of value.team.members.entries())
    if (profile !== undefined)
      tryOut(["team", "members", index, "profile"], () => resolveProfile(profile, profiles));
  const seen = new Set<string>();
  for (const { slot } of slotsOf(value.team)) {
    if (seen.has(slot))
      found.push({
        path: ["team", "members"],
        message: `the slot "${slot}" is there twice; each member needs its own`,
      });
    seen.add(slot);
  }
  return found;
}

/** Settings of an installation; the defaults where it has no file. @throws config.invalid naming line and field. */
export async function loadSettings(
  home: Home,
): Promise<{ readonly settings: Settings; readonly configured: boolean }> {
  const text = await readConfigFile(home.configFile);
  if (text === null) return { settings: settings.parse({}), configured: false };
  return {
    settings: parseYaml({ text, source: home.configFile, schema: settings, code: "config.invalid" }),
    configured: true,
  };
}

/** @throws config.invalid where the file is there and cannot be read. */
async function readConfigFile(file: string): Promise<string | null> {
  try {
    return await readFileIfExists(file);
  } catch (error) {
    throw new AppError({
      code: "config.invalid",
      message: `${file} cannot be read: ${messageOf(error)}.`,
      fix: `Make ${file} a file that this user can read, or remove it.`,
      cause: error,
    });
  }
}

export function teamOf(value: Settings): Team {
  return typeof value.team === "string" ? shippedTeam(value.team) : value.team;
}

/** `NAME=value` lines of `.env`. Secrets: never logged, never passed to a child. @throws config.invalid naming the line. */
export async function loadSecrets(home: Home): Promise<ReadonlyMap<string, string>> {
  const text = (await readConfigFile(home.envFile)) ?? "";
  const secrets = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined)
      throw new AppError({
        code: "config.invalid",
        message: `${home.envFile}:${index + 1}: not a line NAME=value.`,
        fix: "Correct or remove the line.",
      });
    secrets.set(match[1], (match[2] ?? "").replace(/^(["'])(.*)\1$/, "$2"));
  }
  return secrets;
}

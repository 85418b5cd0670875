import type { AgentProfile } from "../profile.ts";

/** Values for the placeholders of a profile; null where there is none, which leaves the text empty. */
export interface PlaceholderValues {
  readonly gateway: string;
  readonly mcp: string;
  readonly home: string;
  readonly cwd: string;
  readonly model: string | null;
  readonly session: string | null;
  readonly package: string | null;
  readonly prompt?: string;
  readonly promptFile?: string;
}

/** Stands for a key where a program insists on one. The gateway knows the run by its socket and ignores it. */
export const KEY_STAND_IN = "miyabi-run";

/** One text with its placeholders filled in; unknown `{words}` stay. Filled-in values are not looked through again. Pure. */
export function fillPlaceholders(text: string, values: Readonly<PlaceholderValues>): string {
  const all: Record<string, string | null | undefined> = {
    ...values,
    key: KEY_STAND_IN,
    node: process.execPath,
    platform: `${process.platform}-${process.arch}`,
  };
  return text.replace(/\{([a-zA-Z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(all, name) ? (all[name] ?? "") : whole,
  );
}

/**
 * Command, arguments and environment of a profile, ready to start. A variable for the model is left out where none is
 * configured, because programs take an empty one for a model's name. Pure.
 */
export function fillCommand(
  profile: Pick<AgentProfile, "command" | "args" | "env">,
  values: Readonly<PlaceholderValues>,
): { command: string; args: string[]; env: Record<string, string> } {
  return {
    command: fillPlaceholders(profile.command, values),
    args: profile.args.map((arg) => fillPlaceholders(arg, values)),
    env: Object.fromEntries(
      Object.entries(profile.env)
        .filter(([, value]) => values.model !== null || !value.includes("{model}"))
        .map(([name, value]) => [name, fillPlaceholders(value, values)]),
    ),
  };
}

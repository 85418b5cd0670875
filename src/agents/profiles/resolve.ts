import { z } from "zod";
import { AppError, problemText, schemaProblems } from "../../base/index.ts";
import { agentProfile, type AgentProfile } from "../profile.ts";
import { SHIPPED_PROFILES } from "./shipped.ts";

const anyFields = agentProfile
  .partial()
  .extend({ based: z.string() })
  .partial()
  .omit({ name: true })
  .strict();
type AnyFields = z.infer<typeof anyFields>;

/**
 * A profile of the configuration: fields to change in a shipped one of the same name, or a whole profile of one's own,
 * optionally `based` on a shipped one. `env`, `files` and `sessionMeta` are merged entry by entry, lists are replaced.
 * Only the given fields are in the result: a default would cover what the shipped profile says.
 */
export const profileOverride = z
  .record(z.string(), z.unknown())
  .transform((given, context): ProfileOverride => {
    const parsed = anyFields.safeParse(given);
    if (parsed.success)
      return Object.fromEntries(Object.entries(parsed.data).filter(([field]) => Object.hasOwn(given, field)));
    for (const { path, message } of schemaProblems(anyFields, parsed.error, given))
      context.addIssue({ code: "custom", path: [...path], message });
    return z.NEVER;
  });
export type ProfileOverride = { [Field in keyof AnyFields]?: AnyFields[Field] };

/** Profiles of the configuration by name. */
export type ProfileOverrides = Readonly<Record<string, ProfileOverride>>;

/** Names that `resolveProfile` knows, shipped ones first. */
export function profileNames(overrides: ProfileOverrides = {}): string[] {
  return [...new Set([...SHIPPED_PROFILES.map((profile) => profile.name), ...Object.keys(overrides)])];
}

/**
 * The profile of this name as the installation configures it.
 * @throws not_found for an unknown name, naming the known ones; config.invalid where a profile of one's own lacks a field.
 */
export function resolveProfile(name: string, overrides: ProfileOverrides = {}): AgentProfile {
  const own = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
  const base = shipped(own?.based ?? name);
  if (own?.based !== undefined && base === undefined)
    throw new AppError({
      code: "config.invalid",
      message: `The agent profile "${name}" is based on "${own.based}", which is not a shipped one: ${shippedNames()}.`,
      fix: `Correct agents.profiles.${name}.based in miyabi.yaml.`,
    });
  if (own === undefined && base === undefined)
    throw new AppError({
      code: "not_found",
      message: `There is no agent profile "${name}". Known profiles: ${profileNames(overrides).join(", ")}.`,
      fix: "Choose one of these, or describe your own agent under `agents.profiles` in the configuration.",
    });
  const { based: _based, ...changes } = own ?? {};
  const result = agentProfile.safeParse({
    ...base,
    title: name,
    ...(base?.title === undefined ? {} : { title: base.title }),
    ...changes,
    name,
    env: { ...base?.env, ...changes.env },
    files: { ...base?.files, ...changes.files },
    sessionMeta: { ...base?.sessionMeta, ...changes.sessionMeta },
  });
  if (result.success) return result.data;
  const given = { ...base, ...changes };
  const problems = schemaProblems(agentProfile, result.error, given).map(problemText);
  throw new AppError({
    code: "config.invalid",
    message: `The agent profile "${name}" is not valid: ${problems.join("; ")}.`,
    fix: `Correct agents.profiles.${name} in miyabi.yaml.`,
    details: { profile: name, problems },
  });
}

const shipped = (name: string) => SHIPPED_PROFILES.find((profile) => profile.name === name);
const shippedNames = (): string => SHIPPED_PROFILES.map((profile) => profile.name).join(", ");

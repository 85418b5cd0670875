import { resolveProfile, SAMPLE_PROFILE } from "../agents/index.ts";
import type { Home } from "../base/index.ts";
import { loadSecrets } from "../main/index.ts";
import type { Ask } from "./ask.ts";
import { findCredentials } from "./credentials.ts";

interface ProposeParams {
  readonly env: NodeJS.ProcessEnv;
  readonly home: Home;
  readonly ask: Ask;
}

export interface ChosenAgent {
  readonly name: string;
  readonly why: string;
}

/** Agents that a key pays for, best first. */
const PAID_BY: Readonly<Record<string, readonly string[]>> = {
  ANTHROPIC_API_KEY: ["claude", "opencode"],
  OPENAI_API_KEY: ["codex"],
};

/** The best agent that something to pay it with was found for; the person may choose another of those. */
export async function proposeAgent({ env, home, ask }: Readonly<ProposeParams>): Promise<ChosenAgent> {
  const { keys, logins } = await findCredentials({
    env,
    secrets: await loadSecrets(home),
    names: Object.keys(PAID_BY),
  });
  const choices = [
    ...keys.flatMap((key) => (PAID_BY[key] ?? []).map((value) => ({ value, hint: `${key} was found` }))),
    { value: SAMPLE_PROFILE, hint: noModel(logins, home.envFile) },
  ];
  const proposal = choices[0]?.value ?? SAMPLE_PROFILE;
  const name =
    choices.length === 1 ? proposal : await ask.choose("Which agent does the work?", choices, proposal);
  const why = choices.find((choice) => choice.value === name)?.hint ?? "";
  return { name: resolveProfile(name).name, why };
}

function noModel(logins: readonly string[], envFile: string): string {
  const advice = `write ANTHROPIC_API_KEY=… or OPENAI_API_KEY=… into ${envFile} and run this again for a real agent`;
  return logins.length === 0
    ? `it follows recipes and uses no model; ${advice}`
    : `plan logins (${logins.join(", ")}) are not used yet; ${advice}`;
}

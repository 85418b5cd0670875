import { access, constants } from "node:fs/promises";
import path from "node:path";
import { isAgentInstalled, profileNames, resolveProfile, SAMPLE_PROFILE } from "../agents/index.ts";
import { loadSecrets, locateInstallation, VERSION } from "../main/index.ts";
import type { Examined, Finding } from "./finding.ts";
import { findCredentials } from "./credentials.ts";

/** Which agents are there, and whether the configured one is. An agent of an npm package installs itself at its first run. */
export async function checkAgents({ env, home, settings }: Examined): Promise<Finding> {
  const overrides = settings.agents.profiles;
  const { sampleAgentDir } = locateInstallation(import.meta.dirname, VERSION);
  const installed: string[] = [];
  const onDemand: string[] = [];
  for (const name of profileNames(overrides)) {
    const profile = resolveProfile(name, overrides);
    const place = { profile, agentsDir: path.join(home.root, "agents"), sampleAgentDir };
    const isThere =
      profile.npm === null && !profile.command.includes("{")
        ? await isExecutable(profile.command, env["PATH"] ?? "")
        : await isAgentInstalled(place);
    if (isThere) installed.push(name);
    else if (profile.npm !== null) onDemand.push(name);
  }
  const detail = [
    `installed: ${installed.join(", ")}`,
    ...(onDemand.length === 0 ? [] : [`installed when first used: ${onDemand.join(", ")}`]),
  ].join("; ");
  const { agent } = settings;
  if (installed.includes(agent) || onDemand.includes(agent))
    return { name: "agents", state: "ok", detail: `${agent} is used; ${detail}`, fix: null };
  // Throws with the known names where the settings name an agent that nobody knows.
  const { title, command } = resolveProfile(agent, overrides);
  return {
    name: "agents",
    state: "fail",
    detail: `miyabi.yaml says agent: ${agent}, but ${title} (${command}) is not on the PATH.`,
    fix: `Install ${title}, or choose another agent: miyabi init`,
  };
}

/** Which model keys and plan logins are there: their names, never their values. */
export async function checkKeys({ env, home, settings }: Examined): Promise<Finding> {
  const providers = Object.values(settings.gateway.providers);
  const names = providers.map((one) => one.apiKeyEnv).filter((name) => name !== null);
  const { keys, logins } = await findCredentials({ env, secrets: await loadSecrets(home), names });
  const found = [...keys, ...logins.map((login) => `plan login of ${login} (not used yet)`)];
  if (keys.length > 0 || names.length < providers.length)
    return { name: "keys", state: "ok", detail: found.join(", ") || "a provider needs none", fix: null };
  return {
    name: "keys",
    state: settings.agent === SAMPLE_PROFILE ? "warn" : "fail",
    detail: [...found, "No model key was found; only the sample agent works without one."].join(". "),
    fix: `Write a line ${names.join("=… or ")}=… into ${home.envFile}`,
  };
}

async function isExecutable(command: string, searchPath: string): Promise<boolean> {
  const candidates = path.isAbsolute(command)
    ? [command]
    : searchPath
        .split(":")
        .filter((directory) => path.isAbsolute(directory))
        .map((directory) => path.join(directory, command));
  const found = await Promise.all(
    candidates.map((file) =>
      access(file, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

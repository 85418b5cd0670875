import path from "node:path";
import { installAgentPackage, isAgentInstalled, resolveProfile } from "../agents/index.ts";
import { messageOf, resolveHome, systemProcessRunner, systemRandom } from "../base/index.ts";
import { loadSettings, locateInstallation, teamOf, VERSION } from "../main/index.ts";

interface InstallAgentsParams {
  readonly env: NodeJS.ProcessEnv;
  readonly note: (text: string) => void;
}

/**
 * Installs the npm package of an agent that is about to be used, where it has one that is not there yet.
 * @throws config.invalid for a name that nobody knows; agent.unavailable where npm cannot do it.
 */
export async function installAgent(params: Readonly<InstallAgentsParams & { name: string }>): Promise<void> {
  const home = resolveHome(params.env);
  const { settings } = await loadSettings(home);
  const place = {
    profile: resolveProfile(params.name, settings.agents.profiles),
    agentsDir: path.join(home.root, "agents"),
    sampleAgentDir: locateInstallation(import.meta.dirname, VERSION).sampleAgentDir,
  };
  if (await isAgentInstalled(place)) return;
  await installAgentPackage({
    ...place,
    runner: systemProcessRunner,
    random: systemRandom,
    env: params.env,
    onProgress: params.note,
  });
}

/** Installs what the configured team needs. */
export async function installTeamAgents(params: Readonly<InstallAgentsParams>): Promise<void> {
  const { settings } = await loadSettings(resolveHome(params.env));
  const members = teamOf(settings).members.map((member) => member.profile ?? settings.agent);
  await installAgents({ ...params, names: [settings.agent, ...members] });
}

/** Installs several agents. One that cannot be had is named; the others work all the same. */
export async function installAgents(
  params: Readonly<InstallAgentsParams & { names: readonly string[] }>,
): Promise<void> {
  for (const name of new Set(params.names))
    await installAgent({ ...params, name }).catch((error: unknown) =>
      params.note(`${messageOf(error)} Tasks of this agent wait until it is there.`),
    );
}

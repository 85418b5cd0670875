import { parseDocument } from "yaml";
import { readFileIfExists, systemClock, type Clock, type Home } from "../base/index.ts";
import { loadSettings } from "../main/index.ts";

interface ProposedSettings {
  readonly text: string;
  /** Where the file of now is kept; null where there is none. */
  readonly backup: { readonly file: string; readonly text: string } | null;
}

interface SettingsParams {
  readonly home: Home;
  readonly agent: string;
  readonly clock?: Clock;
}

/**
 * The installation's `miyabi.yaml` with this agent; everything else in it, comments too, stays as it is.
 * Null where it says so already. @throws config.invalid for a file that is broken: it is the person's to mend.
 */
export async function proposeSettings(params: Readonly<SettingsParams>): Promise<ProposedSettings | null> {
  const { home, agent, clock = systemClock } = params;
  const before = await readFileIfExists(home.configFile);
  if (before === null)
    return { text: `# Settings of this installation of miyabi.\nagent: ${agent}\n`, backup: null };
  const { settings } = await loadSettings(home);
  if (settings.agent === agent) return null;
  const document = parseDocument(before);
  document.set("agent", agent);
  const stamp = clock.now().toISOString().slice(0, 19).replaceAll(/[:T]/g, "-");
  return { text: document.toString(), backup: { file: `${home.configFile}.bak-${stamp}`, text: before } };
}

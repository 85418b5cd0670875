import { access, constants } from "node:fs/promises";
import path from "node:path";
import { isToolName, TOOLS, type Place, type ToolName } from "./tools/index.ts";

/** Where installers of these tools put them, whether or not the PATH knows. */
const USUAL_DIRECTORIES = [".local/bin", ".claude/local", ".opencode/bin", ".npm-global/bin", ".bun/bin"];

export const TOOL_NAMES: readonly ToolName[] = Object.keys(TOOLS).filter(isToolName);

/** Tools that are on this machine, in the order of the list. */
export async function installedTools(place: Place): Promise<readonly ToolName[]> {
  const found = await Promise.all(TOOL_NAMES.map((name) => isInstalled(name, place)));
  return TOOL_NAMES.filter((_, index) => found[index]);
}

async function isInstalled(name: ToolName, { home, env }: Place): Promise<boolean> {
  const { programs, traces } = TOOLS[name];
  const directories = [
    ...(env["PATH"] ?? "").split(":").filter((directory) => path.isAbsolute(directory)),
    ...USUAL_DIRECTORIES.map((directory) => path.join(home, directory)),
  ];
  const looked = await Promise.all([
    ...programs.flatMap((program) =>
      directories.map((directory) => isThere(path.join(directory, program), constants.X_OK)),
    ),
    ...traces.map((trace) => isThere(path.join(home, trace), constants.F_OK)),
  ]);
  return looked.includes(true);
}

const isThere = (file: string, mode: number): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );

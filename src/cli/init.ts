import { lstat, mkdir, realpath, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  ensurePrivateDirectory,
  resolveHome,
  systemProcessRunner,
  writeFileAtomic,
  commandName,
  quoteForShell,
} from "../base/index.ts";
import { createGit, detectProject, inspectRepository } from "../repositories/index.ts";
import { installAgents } from "./agent-packages.ts";
import { createAsk, type Ask } from "./ask.ts";
import { launcherFile } from "./command-name.ts";
import type { CommandContext } from "./context.ts";
import { proposeAgent } from "./init-agent.ts";
import { proposeSettings } from "./init-settings.ts";
import { proposeWorkflow, WORKFLOW_FILE } from "./init-workflow.ts";

export interface InitFlags {
  readonly repo: string;
  readonly yes?: true;
}

type Context = Pick<CommandContext, "env" | "output">;

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Sets the product up for a repository: looks at repository, project, agents and keys, writes the workflow where there
 * is none and the installation's settings (the previous ones stay beside them). Repeatable; without a terminal and
 * without `yes` it only says what it would write.
 * @throws repository.unusable, config.invalid, disk.not_writable, disk.full.
 */
export async function initialise({ env, output }: Context, flags: InitFlags): Promise<void> {
  const home = resolveHome(env);
  const git = createGit({ processes: systemProcessRunner, searchPath: env["PATH"] ?? DEFAULT_PATH });
  const ask = createAsk({ all: flags.yes === true, json: output.json });
  const facts = await inspectRepository(git, {
    path: path.resolve(flags.repo),
    branch: null,
    trustOwner: true,
  });
  const project = await detectProject(git, { gitDir: facts.gitDir, commit: facts.commit });
  output.note(`Repository  ${facts.root} (${facts.branch}${facts.bare ? ", bare" : ""})`);
  output.note(`Project     ${project.kinds.join(", ") || "of no known kind"}`);
  output.note(`  prepare   ${project.prepare.join(" && ") || "nothing"}`);
  output.note(
    `  check     ${project.check.join(" && ") || "nothing found; the review is all that judges a change"}`,
  );
  const agent = await proposeAgent({ env, home, ask });
  output.note(`Agent       ${agent.name}: ${agent.why}`);

  const written: string[] = [];
  const workflow = await proposeWorkflow({ env, facts, project });
  if (workflow !== null) {
    output.note(`\n${WORKFLOW_FILE}\n${indented(workflow.text)}`);
    if (await ask.agrees(`Write ${WORKFLOW_FILE} into the repository?`)) {
      await mkdir(path.dirname(workflow.file), { recursive: true });
      await writeFileAtomic(workflow.file, workflow.text, 0o644);
      written.push(workflow.file);
    }
  }
  const settings = await proposeSettings({ home, agent: agent.name });
  if (settings !== null && (await ask.agrees(`Write ${home.configFile}?`))) {
    await ensurePrivateDirectory(home.root, 0o711);
    if (settings.backup !== null) {
      await writeFileAtomic(settings.backup.file, settings.backup.text);
      written.push(settings.backup.file);
    }
    await writeFileAtomic(home.configFile, settings.text);
    written.push(home.configFile);
  }
  // Now rather than in the middle of the night, when the first task comes.
  if (written.includes(home.configFile)) await installAgents({ env, note: output.note, names: [agent.name] });
  const link = await linkLauncher(env, ask);
  if (link !== null) written.push(link);

  const miyabi = commandName(env, launcherFile());
  const repository = quoteForShell(facts.root);
  const next = [
    ...(workflow !== null && written.includes(workflow.file)
      ? [
          `git -C ${repository} add ${WORKFLOW_FILE} && git -C ${repository} commit -m "chore: add miyabi's workflow"`,
        ]
      : []),
    `${miyabi} up --detach`,
    `${miyabi} task add --repo ${repository} --title "…"`,
  ];
  output.result(
    {
      repository: facts.root,
      branch: facts.branch,
      kinds: project.kinds,
      prepare: project.prepare,
      check: project.check,
      agent: agent.name,
      written,
      next,
    },
    [
      ...(written.length > 0
        ? ["", ...written.map((file) => `wrote ${file}`)]
        : ["", ask.canAsk ? "Nothing was written." : "Nothing was written; --yes writes what is proposed."]),
      "",
      "Next:",
      ...next.map((one) => `  ${one}`),
    ].join("\n"),
  );
}

/** Links `~/.local/bin/miyabi` to this installation where nothing is there yet; its path, or null. */
async function linkLauncher(env: NodeJS.ProcessEnv, ask: Ask): Promise<string | null> {
  const link = path.join(env["HOME"] ?? os.homedir(), ".local", "bin", "miyabi");
  const launcher = await realpath(launcherFile());
  if (commandName(env, launcherFile()) === "miyabi" || (await lstat(link).catch(() => null)) !== null)
    return null;
  if (!(await ask.agrees(`Link ${link}, so that "miyabi" works everywhere?`))) return null;
  await mkdir(path.dirname(link), { recursive: true });
  await symlink(launcher, link);
  return link;
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");

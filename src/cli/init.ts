import { access, mkdir, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { confirm, isCancel } from "@clack/prompts";
import { stringify } from "yaml";
import {
  ensurePrivateDirectory,
  readFileIfExists,
  resolveHome,
  systemProcessRunner,
  writeFileAtomic,
} from "../base/index.ts";
import { createGit, detectProject, inspectRepository } from "../repositories/index.ts";
import { loadSecrets, locateInstallation, VERSION } from "../main/index.ts";
import { defaultWorkflow } from "../tasks/index.ts";
import type { Output } from "./output.ts";

export interface InitFlags {
  readonly repo: string;
  readonly yes?: true;
}

const WORKFLOW_FILE = ".miyabi/workflow.yaml";
const PLAN_LOGINS = [
  ["claude", ".claude/.credentials.json"],
  ["codex", ".codex/auth.json"],
] as const;

/** Finds repository, project, agents and keys; writes what is missing and overwrites nothing. */
export async function initialise(output: Output, flags: InitFlags): Promise<number> {
  const home = resolveHome(process.env);
  const git = createGit({
    processes: systemProcessRunner,
    searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
  });
  const facts = await inspectRepository(git, {
    path: path.resolve(flags.repo),
    branch: null,
    trustOwner: true,
  });
  const project = await detectProject(git, { gitDir: facts.gitDir, commit: facts.commit });
  const agent = await chooseAgent(home);
  output.note(`Repository  ${facts.root} (${facts.branch})`);
  output.note(
    `Project     ${project.kinds.join(", ") || "nothing known"}; check: ${project.check.join(" && ") || "none found"}`,
  );
  output.note(`Agent       ${agent.name}: ${agent.why}`);

  const written: string[] = [];
  if (!facts.bare) {
    const file = path.join(facts.root, WORKFLOW_FILE);
    const flow = defaultWorkflow({
      check: project.check,
      prepare:
        project.prepare.length === 0
          ? null
          : {
              commands: [...project.prepare],
              outputs: [...project.outputs],
              egress: await registriesOf(project.kinds),
            },
    });
    if (
      (await readFileIfExists(file)) === null &&
      (await agrees(flags, `Write ${WORKFLOW_FILE} into the repository?`))
    ) {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFileAtomic(file, workflowText(flow), 0o644);
      written.push(file);
    }
  }
  if (
    (await readFileIfExists(home.configFile)) === null &&
    (await agrees(flags, `Write ${home.configFile}?`))
  ) {
    await ensurePrivateDirectory(home.root, 0o711);
    await writeFileAtomic(home.configFile, stringify({ agent: agent.name }));
    written.push(home.configFile);
  }
  const link = path.join(os.homedir(), ".local", "bin", "miyabi");
  if (!(await exists(link)) && (await agrees(flags, `Link ${link}, so that "miyabi" works everywhere?`))) {
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(locateInstallation(import.meta.dirname, VERSION).launcher, link);
    written.push(link);
  }
  const commit = written.some((file) => file.endsWith(WORKFLOW_FILE))
    ? [
        `git -C ${quote(facts.root)} add ${WORKFLOW_FILE} && git -C ${quote(facts.root)} commit -m "chore: miyabi workflow"`,
      ]
    : [];
  const next = [...commit, "miyabi up --detach", `miyabi task add --repo ${quote(facts.root)} --title "…"`];
  output.result(
    {
      repository: facts.root,
      branch: facts.branch,
      agent: agent.name,
      check: project.check,
      prepare: project.prepare,
      written,
      next,
    },
    ["", ...written.map((file) => `wrote ${file}`), "", "Next:", ...next.map((one) => `  ${one}`)].join("\n"),
  );
  return 0;
}

async function agrees(flags: InitFlags, message: string): Promise<boolean> {
  if (flags.yes === true || !process.stdin.isTTY) return flags.yes === true;
  const answer = await confirm({ message });
  return !isCancel(answer) && answer;
}

/** The best agent that something to pay it with was found for. */
async function chooseAgent(
  home: ReturnType<typeof resolveHome>,
): Promise<{ readonly name: string; readonly why: string }> {
  const secrets = await loadSecrets(home);
  const has = (name: string): boolean => secrets.has(name) || (process.env[name] ?? "") !== "";
  if (has("ANTHROPIC_API_KEY")) return { name: "claude", why: "ANTHROPIC_API_KEY was found" };
  if (has("OPENAI_API_KEY")) return { name: "codex", why: "OPENAI_API_KEY was found" };
  for (const [name, file] of PLAN_LOGINS)
    if (await exists(path.join(os.homedir(), file)))
      return {
        name: "sample",
        why: `a plan login of ${name} was found, but plan logins are not used yet; write its API key into ${home.envFile}`,
      };
  return {
    name: "sample",
    why: `no API key was found; write ANTHROPIC_API_KEY=… into ${home.envFile} and run this again`,
  };
}

/** Registry that the person's own npm uses; other package managers' hosts are for the person to add. */
async function registriesOf(kinds: readonly string[]): Promise<string[]> {
  if (!kinds.includes("node")) return [];
  const { stdout } = await systemProcessRunner
    .run({ command: "npm", args: ["config", "get", "registry"], env: process.env, timeoutMs: 15_000 })
    .catch(() => ({ stdout: "" }));
  return URL.canParse(stdout.trim()) ? [new URL(stdout.trim()).hostname] : [];
}

function workflowText(flow: ReturnType<typeof defaultWorkflow>): string {
  const brief = {
    ...flow,
    steps: flow.steps.map((step) => ({
      ...step,
      ...("timeout" in step ? { timeout: `${step.timeout / 60_000}m` } : {}),
    })),
  };
  return `# How miyabi carries a task of this repository: implement, check, review, merge.\n${stringify(brief)}`;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

const quote = (text: string): string =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

import { createHash } from "node:crypto";
import { because, type Reason } from "../tasks/index.ts";
import { listChanges, type Change } from "./changes.ts";
import type { Git } from "./git.ts";
import { isCovered, plainPath } from "./path-rules.ts";

/** What an agent program reads as instructions, permissions or commands of its own when it starts in a clone. */
export const AGENT_FILES: readonly string[] = [
  ...["CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENT.md", "GEMINI.md", "QWEN.md", "CONVENTIONS.md"],
  ...[
    ".claude/",
    ".mcp.json",
    ".codex/",
    ".gemini/",
    ".qwen/",
    ".opencode/",
    "opencode.json",
    "opencode.jsonc",
  ],
  ...[".cursor/", ".cursorrules", ".cursorignore", ".continue/", ".continuerc.json", ".aider*", ".windsurf/"],
  ...[".windsurfrules", ".clinerules", ".roo/", ".roomodes", ".goosehints", ".kiro/", ".agents/", ".mcp/"],
];

/**
 * What takes effect outside of the change itself: on the server that hosts the repository, in the tools of those who check it out,
 * and in how tasks are worked on. A person approves a change of these before anything is pushed.
 */
export const PROTECTED_PATHS: readonly string[] = [
  ...AGENT_FILES,
  ...[
    ".github/",
    ".gitlab-ci.yml",
    ".gitlab/",
    ".circleci/",
    ".buildkite/",
    "azure-pipelines.yml",
    "Jenkinsfile",
  ],
  ...[".miyabi/", ".gitmodules", ".gitattributes", ".gitconfig", ".mailmap", "CODEOWNERS"],
  ...[
    ".githooks/",
    ".husky/",
    "hooks/pre-commit",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    ".lefthook.yml",
  ],
  ...[
    "lefthook.yaml",
    ".lefthook.yaml",
    ".vscode/",
    ".idea/",
    ".devcontainer/",
    ".devcontainer.json",
    ".envrc",
  ],
];

export interface ProtectedChanges {
  readonly paths: readonly string[];
  /** Of the paths and what they become: an approval is for exactly this. */
  readonly digest: string;
}

interface FindParams {
  readonly gitDir: string;
  /** Ref or commit of the branch that the change is for. */
  readonly target: string;
  readonly head: string;
  /** Beyond `PROTECTED_PATHS`; see `isCovered`. */
  readonly rules: readonly string[];
}

/** What a change does to protected paths, against where it left its target; null where nothing. */
export async function findProtectedChanges(
  git: Git,
  params: Readonly<FindParams>,
): Promise<ProtectedChanges | null> {
  const { gitDir, target, head } = params;
  const common = await git.run({ gitDir, args: ["merge-base", target, head] });
  const base = common.code === 0 ? common.stdout.trim() : target;
  const rules = [...PROTECTED_PATHS, ...params.rules];
  const found = (await listChanges(git, { gitDir, base, head })).filter(({ path }) =>
    isProtected(path, rules),
  );
  return found.length === 0 ? null : { paths: found.map(({ path }) => path), digest: digestOf(found) };
}

const NAMED_PATHS = 5;

/** Why a change of protected paths waits: a person approves just this one. */
export function protectedChangeReason({ paths, digest }: ProtectedChanges, taskId: string): Reason {
  const named = paths.slice(0, NAMED_PATHS).map((path) => JSON.stringify(path.slice(0, 200)));
  const more = paths.length > NAMED_PATHS ? ` and ${paths.length - NAMED_PATHS} more` : "";
  const text = `${named.join(", ")}${more}`;
  return because(
    "protected.changed",
    `It changes what takes effect outside of the code: ${text}. Approve this change?`,
    { paths: text, digest },
    `miyabi task approve ${taskId}`,
  );
}

/** A file or link in the place of a protected directory counts too, and so does a name that only some file systems see as this one. */
export function isProtected(path: string, rules: readonly string[]): boolean {
  const plain = plainPath(path);
  return isCovered(plain, rules) || isCovered(`${plain}/x`, rules);
}

const digestOf = (changes: readonly Change[]): string =>
  createHash("sha256")
    .update(JSON.stringify(changes.map(({ path, newMode, newId }) => [path, newMode, newId])))
    .digest("hex");

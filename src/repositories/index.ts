export { createGit, isAncestor, requireGit, type Git } from "./git.ts";
export { inspectRepository, type RepositoryFacts, type TargetCheckout } from "./inspect.ts";
export type { Operation } from "./worktrees.ts";
export {
  compactCache,
  ensureCache,
  fetchTarget,
  hasCommit,
  removeCache,
  sweepWorkDir,
  targetRef,
  taskRef,
  type TargetCommit,
} from "./cache.ts";
export { shareObjects } from "./share-objects.ts";
export { createCheckout, createClone, updateReadOnlyClone, type Author } from "./clone.ts";
export { collectClones, removeTree } from "./remove-tree.ts";
export { parseRestored, restoreInstructionsScript } from "./restore-instructions.ts";
export {
  handoverScript,
  parseHandover,
  parseUpdate,
  unlockScript,
  updateScript,
  type HandoverOutcome,
  type SandboxCommand,
  type UpdateOutcome,
} from "./sandbox-scripts.ts";
export {
  DEFAULT_HANDOVER_LIMITS,
  importBundle,
  type Handover,
  type HandoverLimits,
} from "./import-bundle.ts";
export { findProtectedChanges, protectedChangeReason, type ProtectedChanges } from "./protected-paths.ts";
export { diffOf, type CommitSummary, type Diff, type FileDiff } from "./diff.ts";
export { rebaseOnto, type RebaseOutcome } from "./rebase.ts";
export { TASK_TRAILER, type Trailer } from "./commit-writing.ts";
export { advanceTarget, type AdvanceOutcome } from "./advance.ts";
export { findMergedTask, type MergedTask } from "./merged.ts";
export { branchNameFor, keepBranch } from "./branches.ts";
export { LOCKFILE_PATTERNS, lockfileHash, type Lockfiles } from "./lockfiles.ts";
export { detectProject, type Project } from "./project.ts";
export { createMergeQueue } from "./merge-queue.ts";
export { mirrorPathOf, sourcePathOf } from "./mirror.ts";
export { createWorkStore, NO_WORK_STORE, type WorkStore } from "./work-store.ts";
export { pushBranch, remoteHead, syncMirror, type PushOutcome, type Remote } from "./remote.ts";

import { AppError } from "../base/index.ts";
import { AGENT_FILES } from "./protected-paths.ts";
import {
  detailOf,
  filesOf,
  GIT_IN_CLONE,
  type SandboxCommand,
  type ScriptResult,
} from "./sandbox-scripts.ts";

// None of them has a slash inside, so each is a name at any depth.
const NAMES = AGENT_FILES.map((rule) => rule.replace(/\/$/, ""));
const FIND = NAMES.flatMap((name, index) => [...(index === 0 ? [] : ["-o"]), "-iname", name]);
const EXPRESSION = `(^|[\t/])(${NAMES.map((name) => name.replaceAll(".", "[.]").replaceAll("*", "[^/]*")).join("|")})(/|$)`;

/*
 * Arguments: the commit, the expression, then tests for `find`. A file in conflict is left alone: its agent has to solve that. What the
 * agent wrote and did not commit is kept in the index, which its next commit or the handover takes in.
 */
const RESTORE = String.raw`
base=$1 names=$2
shift 2
match() { grep -zEi "$names"; }
conflicts=$(unmerged)
calm() { if [ -n "$conflicts" ]; then grep -zvxF "$conflicts"; else cat; fi; }
g ls-files -z -m -o --exclude-standard | match | calm | g update-index -z --add --remove --replace --stdin || :
find . -path ./.git -prune -o \( "$@" \) -prune -print0 | sed -z 's/^\.\///' | calm | xargs -0 -r rm -rf -- || exit 15
g ls-tree -r -z "$base" | match | xargs -0 -r -n 1 /bin/sh -c '
  file=$(printf "%s" "$1" | cut -f 2-)
  set -- $(printf "%s" "$1" | cut -f 1)
  [ "$2" = blob ] || exit 0
  case "/$file" in */*) mkdir -p "$(dirname "./$file")" || exit 0 ;; esac
  [ -e "$file" ] || [ -L "$file" ] && exit 0
  if [ "$1" = 120000 ]; then ln -s "$(git -c "safe.directory=*" cat-file blob "$3")" "./$file" || exit 255; exit 0; fi
  git -c "safe.directory=*" cat-file blob "$3" > "./$file" || exit 255
  [ "$1" != 100755 ] || chmod +x "./$file"' miyabi || exit 15
# Git is not to see the difference, lest a commit undoes what the task is about.
g ls-files -z | match | calm | g update-index -z --no-skip-worktree --stdin || exit 15
g ls-files -z -m | match | calm | g update-index -z --skip-worktree --stdin || exit 15
g ls-files -z -o --exclude-standard | match | sed -z 's/[][*?\\#!]/\\&/g; s/^/\//' | tr '\0' '\n' >> "$dir/info/exclude"
g ls-files -t | sed -n 's/^S //p' | report
`;

/**
 * What a host runs INSIDE the sandbox before an agent goes on in a clone in which it worked: the instructions to agents (`CLAUDE.md`,
 * `.claude/` and the like) become those of `trusted` again, so that nothing that an agent wrote instructs the next turn. Commits keep
 * what they have. Safe to repeat.
 */
export function restoreInstructionsScript({ trusted }: { readonly trusted: string }): SandboxCommand {
  return { argv: ["/bin/sh", "-c", GIT_IN_CLONE + RESTORE, "miyabi", trusted, EXPRESSION, ...FIND] };
}

/** Files that stand there otherwise than in the clone's commit. @throws repository.unusable where they could not be restored. */
export function parseRestored(result: Readonly<ScriptResult>): readonly string[] {
  if (result.code === 0) return filesOf(result);
  throw new AppError({
    code: "repository.unusable",
    message: `The session's clone may hold instructions that an agent wrote: ${detailOf(result)}`,
  });
}

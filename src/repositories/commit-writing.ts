import { AppError } from "../base/index.ts";
import { gitFailure, type Git } from "./git.ts";

/** A `Name: value` line at the end of a commit message. */
export interface Trailer {
  readonly name: string;
  readonly value: string;
}

/** Trailer that marks the last commit of a merged task. */
export const TASK_TRAILER = "Miyabi-Task";

/** Our name as committer; authors stay who they are. */
const COMMITTER = "Miyabi Orchestra <miyabi@localhost>";

export interface CommitContent {
  readonly parents: readonly string[];
  readonly tree: string;
  /** `Name <e-mail> seconds zone`, as git writes it. */
  readonly author: string;
  readonly committedSeconds: number;
  readonly message: string;
}

/** Reads a commit; text in another encoding comes as UTF-8. @throws process.failed where there is none. */
export async function readCommit(git: Git, gitDir: string, commit: string): Promise<CommitContent> {
  const format = "%P%x00%T%x00%an <%ae> %ad%x00%ct%x00%B";
  const text = await git.text({
    gitDir,
    args: ["log", "-1", "--encoding=UTF-8", "--date=raw", `--format=${format}`, commit, "--"],
  });
  const [parents = "", tree = "", author = "", seconds = "", ...message] = text.split("\0");
  return {
    parents: parents.split(" ").filter((parent) => parent !== ""),
    tree,
    author,
    committedSeconds: Number(seconds),
    message: message.join(""),
  };
}

/** Writes a commit. The same content gives the same id, so writing it again after a crash changes nothing. */
export async function writeCommit(
  git: Git,
  gitDir: string,
  content: Readonly<CommitContent>,
): Promise<string> {
  const text = [
    `tree ${content.tree}`,
    ...content.parents.map((parent) => `parent ${parent}`),
    `author ${content.author}`,
    `committer ${COMMITTER} ${content.committedSeconds} +0000`,
    "",
    content.message.replaceAll("\0", "").trimEnd() + "\n",
  ].join("\n");
  const args = ["hash-object", "-t", "commit", "-w", "--stdin"];
  const result = await git.run({ gitDir, args, input: text });
  if (result.code !== 0) throw gitFailure(args, result);
  return result.stdout.trim();
}

/** A message without lines that only we may write: an agent could claim another task's merge with them. */
export function withoutOurTrailers(message: string): string {
  return message
    .split("\n")
    .filter((line) => !/^\s*miyabi-[a-z-]+\s*:/i.test(line))
    .join("\n")
    .trimEnd();
}

/** A message with trailers in its last paragraph, each once. @throws input.invalid for a trailer of more than a line. */
export async function withTrailers(git: Git, message: string, trailers: readonly Trailer[]): Promise<string> {
  if (trailers.length === 0) return message;
  for (const { name, value } of trailers)
    if (!/^[A-Za-z][A-Za-z-]*$/.test(name) || /[\n\r\0]/.test(value))
      throw new AppError({ code: "input.invalid", message: `"${name}" is not a trailer of one line.` });
  const args = trailers.flatMap(({ name, value }) => ["--trailer", `${name}: ${value}`]);
  return git.text({
    args: ["interpret-trailers", "--no-divider", "--if-exists=addIfDifferent", ...args],
    input: `${message.trimEnd()}\n`,
  });
}

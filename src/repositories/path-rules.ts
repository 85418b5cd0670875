/** Unicode that HFS+ ignores in names, so that `.g<zwnj>it` opens `.git` there. */
const IGNORABLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

function isGitName(component: string): boolean {
  // NTFS: trailing dots and spaces and streams do not count, and `git~1` is the short name of `.git`.
  const plain =
    component
      .replace(IGNORABLE, "")
      .toLowerCase()
      .split(":")[0]
      ?.replace(/[. ]+$/, "") ?? "";
  return plain === ".git" || /^git~\d+$/.test(plain);
}

/** A path as the file systems see it that forgive most: without ignorable Unicode, streams and what ends a name on NTFS. */
export function plainPath(path: string): string {
  return path
    .replace(IGNORABLE, "")
    .split("/")
    .map((component) => component.split(":")[0]?.replace(/[. ]+$/, "") ?? "")
    .join("/");
}

/** What is wrong with a path that an agent hands over, in words, or null. Holds for every file system that a user may check it out on. */
export function pathProblem(path: string): string | null {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return "has a control character in its name";
  if (path.includes("\\")) return "has a backslash in its name";
  for (const component of path.split("/")) {
    if (component === "" || component === "." || component === "..") return "is not a normal path";
    if (isGitName(component)) return "would write into git's own directory";
  }
  return null;
}

/** What is wrong with a symbolic link that an agent hands over, or null: it has to stay inside the repository. */
export function symlinkProblem(path: string, target: string): string | null {
  if (/(^|\/)(\.git|git~)[^/]*$/i.test(path.replace(IGNORABLE, "")))
    return "is a link in place of a file that git reads";
  if (target === "" || target.includes("\0")) return "is a broken link";
  if (target.startsWith("/") || /^[a-z]:/i.test(target) || target.includes("\\"))
    return "is a link to an absolute path";
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const depth = path.split("/").length - 1;
  const ups = steps.findIndex((step) => step !== "..");
  const leading = ups === -1 ? steps.length : ups;
  if (leading > depth) return "is a link that leaves the repository";
  // After a name, `..` starts from where that name leads, which may be another link.
  if (steps.slice(leading).includes("..")) return "is a link with .. after a name";
  if (steps.some(isGitName)) return "is a link into git's own directory";
  return null;
}

/**
 * Whether a path is covered by a rule: `dir/` covers all below it, `*` any part of one name, `**` any number of directories;
 * a rule without a slash covers that name in every directory. Case does not count.
 */
export function isCovered(path: string, rules: readonly string[]): boolean {
  return rules.some((rule) => ruleExpression(rule).test(path));
}

function ruleExpression(rule: string): RegExp {
  const isAnywhere = !rule.replace(/\/$/, "").includes("/");
  const body = rule
    .replace(/^\//, "")
    .replace(/\/$/, "/**")
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${isAnywhere ? "(?:.*/)?" : ""}${body}(?:/.*)?$`, "iu");
}

import { expect, test } from "vitest";
import { isCovered, pathProblem, symlinkProblem } from "./path-rules.ts";

test.each([
  "a.txt",
  "src/.github/x",
  ".gitignore",
  "dir/.gitattributes",
  "新しい/ファイル.txt",
  "-rf",
  "a b",
  "git",
  "x.git",
])("accepts the path %j", (path) => expect(pathProblem(path)).toBeNull());

test.each([
  ".git",
  "a/.GIT/config",
  "GIT~1/x",
  ".git./x",
  ".git /x",
  ".git::$INDEX_ALLOCATION/x",
  ".g\u200cit/x",
  "a/../b",
  "./a",
  "a//b",
  "/a",
  "a\nb",
  "a\\b",
])("refuses the path %j", (path) => expect(pathProblem(path)).not.toBeNull());

test.each([
  ["a", "b"],
  ["a/b/c", "../../x"],
  ["a/b", "./../x/y"],
  ["a/b", ".."],
])("accepts the link %j to %j", (path, target) => expect(symlinkProblem(path, target)).toBeNull());

test.each([
  ["a", "/etc"],
  ["a", ".."],
  ["a/b", "../../x"],
  ["a", "b/../c"],
  ["a", "C:\\x"],
  ["a", ".git/config"],
  ["a", ""],
  [".gitmodules", "x"],
  ["sub/.gitattributes", "x"],
])("refuses the link %j to %j", (path, target) => expect(symlinkProblem(path, target)).not.toBeNull());

test.each([
  [".github/workflows/ci.yml", ".github/", true],
  [".GITHUB/x", ".github/", true],
  ["sub/.github/x", "/.github/**", false],
  ["sub/deep/secret.pem", "*.pem", true],
  ["docs/a/b.md", "docs/*.md", false],
  ["docs/b.md", "docs/*.md", true],
  ["docs/a/b.md", "docs/**/*.md", true],
  ["src/x", "sr", false],
  ["a+b", "a+b", true],
])("judges whether %j is covered by %j", (path, rule, covered) => {
  expect(isCovered(path, [rule])).toBe(covered);
});

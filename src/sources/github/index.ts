export { openGitHub, type GitHub, type GitHubParams } from "./github.ts";
export { githubSettings, type GitHubSettings } from "./settings.ts";

export { openGitHub } from "./github.ts";

export { githubSettings, type GitHubSettings } from "./github/settings.ts";
export { DELIVERIES_CHANNEL as GITHUB_DELIVERIES_CHANNEL } from "./github/webhooks/delivery-store.ts";
export type { GitHub, GitHubParams } from "./github/github.ts";
export type { GitHubUsage } from "./github/usage.ts";
export * from "./intake/index.ts";
export * from "./sample/index.ts";

/** The connection to GitHub, loaded only where it is configured: its libraries take memory and time. */
export const loadGitHub = (): Promise<typeof import("./github/index.ts")> => import("./github/index.ts");

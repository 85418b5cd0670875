import { AppError } from "../../../base/index.ts";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/**
 * Address of the API of the server that people open at `webUrl`: github.com, GHE.com or a GitHub Enterprise Server.
 * @throws usage.invalid for what is no address of a server, and for one without TLS beyond this machine: keys travel there.
 */
export function apiUrlOf(webUrl: string): string {
  const url = URL.canParse(webUrl) ? new URL(webUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "")
    throw new AppError({
      code: "usage.invalid",
      message: `"${webUrl}" is no address of a GitHub server; it looks like https://github.example.com.`,
    });
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname))
    throw new AppError({
      code: "usage.invalid",
      message: `${webUrl} has no TLS; the app's private key would travel there for everyone to read.`,
      fix: `miyabi init --github --url ${webUrl.replace(/^http:/, "https:")}`,
    });
  if (url.host === "github.com") return "https://api.github.com";
  return url.host.endsWith(".ghe.com") ? `https://api.${url.host}` : `${url.origin}/api/v3`;
}

/** The reverse: where people open the server whose API is at `apiUrl`. */
export function webUrlOf(apiUrl: string): string {
  const { origin, host, protocol } = new URL(apiUrl);
  if (host === "api.github.com") return "https://github.com";
  return /^api\..*\.ghe\.com$/.test(host) ? `${protocol}//${host.slice("api.".length)}` : origin;
}

/** `owner/name` of a git remote of this server; null for another place. */
export function repositoryOf(remote: string, webUrl: string): string | null {
  const { hostname } = new URL(webUrl);
  const match =
    /^(?:(?:https?|ssh|git):\/\/)?(?:[^@/]+@)?([^/:]+)(?::\d+(?=\/))?[:/]([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(
      remote.trim(),
    );
  return match?.[1]?.toLowerCase() === hostname.toLowerCase() ? (match[2] ?? null) : null;
}

import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { AppError } from "../../base/index.ts";

/** Decides by name alone which hosts a sandbox may reach. */
export interface AllowList {
  allows(host: string): boolean;
}

const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host name in the one form that is compared: lower case, ASCII, without the final dot; null where it is none, and for
 * every way to write an address (`127.0.0.1`, `0x7f.1`, `[::1]`). Pure.
 */
export function normaliseHost(host: string): string | null {
  const ascii = domainToASCII(host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
  // domainToASCII turns `0x7f000001` and `2130706433` into dotted form, like every resolver would.
  if (isIP(ascii) !== 0 || !HOST_NAME.test(ascii)) return null;
  return ascii;
}

/**
 * An allow-list of exact names and `*.example.org` (its subdomains, not itself). Empty allows nothing.
 * @throws config.invalid for what is neither, for addresses and for wildcards over a whole top-level domain.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of entries) {
    const isWildcard = entry.startsWith("*.");
    const name = normaliseHost(isWildcard ? entry.slice(2) : entry);
    if (name === null)
      throw new AppError({
        code: "config.invalid",
        message: `"${entry}" is no host name for the egress allow-list; write it like "registry.example.org" or "*.example.org".`,
      });
    if (isWildcard) suffixes.push(`.${name}`);
    else exact.add(name);
  }
  return {
    allows: (host) => {
      const name = normaliseHost(host);
      return name !== null && (exact.has(name) || suffixes.some((suffix) => name.endsWith(suffix)));
    },
  };
}

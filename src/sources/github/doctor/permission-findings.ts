import { suffices, type Permission } from "../app/permissions.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** What we may do in one repository, by the name of the permission; `unknown`: GitHub does not let that be found out. */
export type Granted = Readonly<Record<string, "none" | "read" | "write" | "unknown">>;

interface FindingsParams {
  readonly needed: readonly Permission[];
  /** By `owner/name`. */
  readonly granted: ReadonlyMap<string, Granted>;
  /** Where a person grants what is missing. */
  readonly fix: (missing: Permission) => string;
}

/** One finding for each permission that we need, over all repositories. Pure. */
export function permissionFindings({ needed, granted, fix }: Readonly<FindingsParams>): readonly Finding[] {
  return needed.map((one) => {
    const { name, title, level, why } = one;
    const of = (repository: string): string => granted.get(repository)?.[name] ?? "none";
    const repositories = [...granted.keys()];
    const unknown = repositories.filter((at) => of(at) === "unknown");
    const lacking = repositories.filter((at) => of(at) !== "unknown" && !suffices(of(at), level));
    const what = `${title}: ${level} (${why})`;
    if (lacking.length > 0)
      return fail(
        `github.${name}`,
        `${what} is missing on ${lacking.map((at) => `${at}${of(at) === "read" ? " (only read)" : ""}`).join(", ")}.`,
        fix(one),
      );
    if (unknown.length > 0)
      return warn(`github.${name}`, `${what}: GitHub does not say for ${unknown.join(", ")}.`, fix(one));
    return ok(`github.${name}`, what);
  });
}

import path from "node:path";
import type { Home } from "../base/index.ts";

/**
 * Where a repository lies on this machine. A hosted one is known by the path of the mirror that some machine made first; each machine has
 * one of the same name under its own directory.
 */
export function sourcePathOf(
  repository: { readonly path: string; readonly isHosted: boolean },
  home: Pick<Home, "root">,
): string {
  return repository.isHosted ? mirrorPathOf(home, path.basename(repository.path)) : repository.path;
}

export const mirrorPathOf = (home: Pick<Home, "root">, name: string): string =>
  path.join(home.root, "mirrors", name);

const compiled = new Map<string, RegExp>();

/** Whether a name fits a glob in which `*` stands for any text. */
export function fits(glob: string, name: string): boolean {
  let pattern = compiled.get(glob);
  if (pattern === undefined) {
    const source = glob
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*");
    pattern = new RegExp(`^${source}$`, "s");
    compiled.set(glob, pattern);
  }
  return pattern.test(name);
}

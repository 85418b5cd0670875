import os from "node:os";
import path from "node:path";

/** Where the parts of the program are: in the sources, or in the bundle beside them. */
export interface Installation {
  /** Directory of package.json. */
  readonly root: string;
  readonly version: string;
  /** The command line's program, without the launcher that may build. */
  readonly cli: string;
  readonly controlPlane: string;
  readonly agentHost: string;
  readonly sampleAgentDir: string;
  /** Directories that programs inside a sandbox may read, e.g. modules of the sample agent when run from source. */
  readonly readOnly: readonly string[];
  readonly sampleProjectDir: string;
  readonly personasDir: string;
  readonly webDir: string;
  readonly migrationsDir: string;
  readonly launcher: string;
}

/** Derived from where this module lies: `src/main/` in a checkout, `dist/` in a bundle. */
export function locateInstallation(moduleDir: string, version: string): Installation {
  const bundled = path.basename(path.dirname(moduleDir)) !== "src";
  // A part that is loaded on demand lies one level deeper in the bundle.
  const bundle = path.basename(moduleDir) === "chunks" ? path.dirname(moduleDir) : moduleDir;
  const root = bundled ? path.dirname(bundle) : path.dirname(path.dirname(moduleDir));
  const at = (...parts: readonly string[]): string => path.join(root, ...parts);
  return {
    root,
    version,
    cli: bundled ? at("dist", "miyabi.js") : at("src", "cli", "main.ts"),
    controlPlane: bundled ? at("dist", "control-plane.js") : at("src", "main", "control-plane-entry.ts"),
    agentHost: bundled ? at("dist", "agent-host.js") : at("src", "agents", "host", "main.ts"),
    sampleAgentDir: bundled ? at("dist", "sample-agent") : at("examples", "sample-agent"),
    readOnly: bundled ? [] : [at("node_modules")],
    sampleProjectDir: at("examples", "sample-project"),
    personasDir: at("examples", "personas"),
    webDir: at("web", "dist"),
    migrationsDir: bundled ? at("dist", "migrations") : at("src", "store", "migrations"),
    launcher: at("bin", "miyabi.cjs"),
  };
}

/** Name under which sessions of this machine are kept. */
export const machineName = (): string => os.hostname();

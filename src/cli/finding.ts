import type { Home } from "../base/index.ts";
import type { ComponentHealth } from "../contract/index.ts";
import type { Settings } from "../main/index.ts";

/** The running product, as its API describes it. */
export interface Running {
  readonly url: string;
  readonly pid: number;
  readonly components: readonly ComponentHealth[];
}

/** What one check found. */
export interface Finding {
  readonly name: string;
  /** `warn`: something is missing that not everything needs. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** A command to paste or a sentence; null where nothing is to be done. */
  readonly fix: string | null;
}

/** What the checks look at. */
export interface Examined {
  readonly env: NodeJS.ProcessEnv;
  readonly home: Home;
  /** The installation's; the defaults where its file is broken, which is a finding of its own. */
  readonly settings: Settings;
  readonly running: Running | null;
}

import type { Change, FormatName, Json } from "../formats/index.ts";

/** Endpoints of the gateway that a tool of these speaks to. */
export type Endpoint = "messages" | "responses" | "chat_completions" | "generate_content";

/** Whose settings are written. */
export interface Place {
  /** The person's home directory. */
  readonly home: string;
  /** Variables by which the tools' files may be elsewhere. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Named on the command line: it need not be the home of whoever types. */
  readonly isOfAnother: boolean;
}

export interface Facts {
  /** Base URL of the gateway, without a slash at its end. */
  readonly gateway: string;
  readonly key: string;
  /** The model to be written; null: the tool's own choice stays. */
  readonly model: string | null;
  /** Models that the gateway offers; empty where that is not known. */
  readonly offered: readonly string[];
}

export interface Target {
  /** The first of these that exists is changed, or else the first is made. */
  readonly files: readonly string[];
  readonly format: FormatName;
  /** What has to stand in the file, given what stands there now. */
  readonly changes: (current: Json) => readonly Change[];
}

/** How a coding tool is pointed at the gateway. */
export interface Tool {
  readonly title: string;
  /** Programs on the PATH that show that it is installed. */
  readonly programs: readonly string[];
  /** Directories in the home that show it, e.g. of an editor's extension. */
  readonly traces: readonly string[];
  /** Models that it knows and chooses by itself; null: one has to be written. */
  readonly knows: RegExp | null;
  /** Where a call of this model goes. */
  readonly endpoint: (model: string) => Endpoint;
  readonly targets: (place: Place, facts: Facts) => readonly Target[];
  /** A file that must not be the only one: beside what we write, the tool would no longer read it. */
  readonly legacy?: { readonly file: (place: Place) => string; readonly what: string; readonly fix: string };
  /** What the person has to know or to do, e.g. a new shell. */
  readonly notes: (place: Place, facts: Facts) => readonly string[];
}

export const isClaude = (model: string): boolean => /(^|\/)claude-/.test(model);

/** Variable that overrides a tool's directory, else the usual place in the home. */
export function directoryOf(place: Place, variable: string, usual: string): string {
  const chosen = place.env[variable];
  return chosen === undefined || chosen === "" ? `${place.home}/${usual}` : chosen;
}

export const set = (value: Json | undefined, ...path: readonly string[]): Change => ({ path, value });

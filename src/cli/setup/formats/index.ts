import type { Format } from "./change.ts";
import { dotenvFormat, exportsFormat } from "./dotenv.ts";
import { jsonFormat } from "./json.ts";
import { markedLineFormat } from "./marked-line.ts";
import { tomlFormat } from "./toml.ts";
import { yamlFormat } from "./yaml.ts";

export const FORMATS = {
  json: jsonFormat,
  yaml: yamlFormat,
  toml: tomlFormat,
  dotenv: dotenvFormat,
  exports: exportsFormat,
  "marked-line": markedLineFormat,
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export { valueAt, type Change, type Json, type Step } from "./change.ts";

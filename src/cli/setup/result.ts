import { oneLine } from "../table.ts";
import type { Restored } from "./restore.ts";
import type { ToolName } from "./tools/index.ts";
import type { Tried } from "./verify.ts";

/** What a real call with the new settings came to. */
export type Check =
  | Tried
  | { readonly state: "not-configured" }
  /** The gateway offers none that the tool could ask for. */
  | { readonly state: "no-model"; readonly why: string };

interface ResultBase {
  readonly tool: ToolName;
  readonly title: string;
}

/** What has become of one tool. */
export type ToolResult = ResultBase &
  (
    | {
        readonly state: "written" | "unchanged";
        readonly files: readonly {
          readonly file: string;
          readonly change: "made" | "changed" | "unchanged";
        }[];
        readonly key: { readonly id: string; readonly name: string; readonly made: boolean };
        /** Null: the tool's own choice. */
        readonly model: string | null;
        /** Null: they could not be listed. */
        readonly modelsOffered: number | null;
        readonly check: Check;
        /** Command that takes it back. */
        readonly undo: string;
        readonly notes: readonly string[];
      }
    | {
        readonly state: "planned";
        readonly files: readonly { readonly file: string; readonly diff: readonly string[] }[];
        readonly makesKey: boolean;
        readonly notes: readonly string[];
      }
    | {
        readonly state: "undone";
        readonly files: readonly { readonly file: string; readonly restored: Restored }[];
        /** Key that was ended; null: none. */
        readonly revoked: string | null;
        readonly notes: readonly string[];
      }
    | {
        readonly state: "failed";
        readonly code: string;
        readonly message: string;
        readonly fix: string | null;
      }
  );

/** Whether the tool can be used as asked for. */
export function isFailure(result: ToolResult): boolean {
  if (result.state === "failed") return true;
  return "check" in result && (result.check.state === "failed" || result.check.state === "no-model");
}

const RESTORED: Readonly<Record<Restored, string>> = {
  exactly: "is as it was before",
  removed: "is removed, as before",
  merged: "was edited since: only miyabi's settings were set back",
  untouched: "was as before already",
};

export function resultText(result: ToolResult): string {
  const lines = [result.title, ...bodyOf(result).map((line) => `  ${line}`)];
  const notes = "notes" in result ? result.notes : [];
  return [...lines, ...notes.map((note) => `  note   ${note}`)].join("\n");
}

function bodyOf(result: ToolResult): readonly string[] {
  switch (result.state) {
    case "failed":
      return [`error  ${result.message}`, ...(result.fix === null ? [] : [`fix    ${result.fix}`])];
    case "undone":
      return [
        ...result.files.map(({ file, restored }) => `file   ${file} ${RESTORED[restored]}`),
        ...(result.revoked === null ? [] : [`key    ${result.revoked} is refused from now on`]),
      ];
    case "planned":
      return [
        ...result.files.flatMap(({ file, diff }) =>
          diff.length === 0
            ? [`file   ${file} stays as it is`]
            : [`file   ${file}`, ...diff.map((line) => `  ${line}`)],
        ),
        result.makesKey ? "key    a new one is made" : "key    the one that is there is used",
        "Nothing was written.",
      ];
    case "written":
    case "unchanged":
      return [
        ...result.files.map(
          ({ file, change }) =>
            `file   ${file} ${change === "unchanged" ? "says so already" : `is ${change}`}`,
        ),
        `key    ${result.key.id} "${oneLine(result.key.name)}"${result.key.made ? "" : ", as before"}`,
        `model  ${result.model ?? `${result.title}'s own choice`}`,
        `check  ${checkText(result.check, result.modelsOffered)}`,
        ...(result.state === "written" ? [`undo   ${result.undo}`] : []),
      ];
  }
}

function checkText(check: Check, offered: number | null): string {
  const models = offered === null ? "the models could not be listed" : `${offered} models offered`;
  switch (check.state) {
    case "answered":
      return `${models}; ${oneLine(check.model)} answered in ${check.ms} ms`;
    case "failed":
      return `${models}; the call of ${oneLine(check.model)} failed: ${oneLine(check.why)}`;
    case "no-model":
      return `${models}; ${check.why}`;
    case "not-configured":
      return `${models}; no call was made, because no provider is configured: miyabi providers`;
  }
}

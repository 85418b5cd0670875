import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../pipeline/caller.ts";
import {
  BUDGET_STEP,
  LEAST_BUDGET,
  MOST_BUDGET,
  trimChoice,
  USUAL_BUDGET,
  type TrimChoice,
  type TrimSettings,
} from "./trim-settings.ts";

export type ChosenTrim =
  | { readonly state: "chosen"; readonly choice: TrimChoice; readonly pinned: ReadonlySet<number> }
  /** The message is for the caller. */
  | { readonly state: "invalid"; readonly message: string };

const LONGEST_LIST = 1_000;

/** How a call is trimmed: as it says itself, else as its key, its route, or runs of agents in general. */
export function chooseTrim(params: {
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  readonly route: { readonly trim?: TrimChoice | undefined } | null;
  readonly settings: TrimSettings;
}): ChosenTrim {
  const said = asked(params.headers["x-miyabi-trim"]);
  if (said === "invalid")
    return {
      state: "invalid",
      message: `x-miyabi-trim must be "off", "on" (${USUAL_BUDGET} tokens), "window", or a number of tokens from ${LEAST_BUDGET} to ${MOST_BUDGET} in steps of ${BUDGET_STEP}.`,
    };
  const pinned = pinnedOf(params.headers["x-miyabi-pin"]);
  if (pinned === null)
    return {
      state: "invalid",
      message: "x-miyabi-pin must be numbers of messages, counted from 0: 0, 4, 5.",
    };
  const choice = said ?? ofKey(params.caller, params.settings) ?? params.route?.trim ?? ofKind(params);
  return { state: "chosen", choice, pinned };
}

function asked(header: string | string[] | undefined): TrimChoice | "invalid" | null {
  if (header === undefined) return null;
  const text = String(header).trim().toLowerCase();
  if (text === "on") return USUAL_BUDGET;
  const parsed = trimChoice.safeParse(/^\d{1,6}$/.test(text) ? Number(text) : text);
  return parsed.success ? parsed.data : "invalid";
}

function pinnedOf(header: string | string[] | undefined): ReadonlySet<number> | null {
  const parts = String(header ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return parts.length > LONGEST_LIST || !parts.every((part) => /^\d{1,6}$/.test(part))
    ? null
    : new Set(parts.map(Number));
}

function ofKey(caller: Caller, { keys }: TrimSettings): TrimChoice | undefined {
  return [caller.keyId, caller.keyName].flatMap((name) =>
    name !== null && Object.hasOwn(keys, name) ? [keys[name]] : [],
  )[0];
}

function ofKind(params: { readonly caller: Caller; readonly settings: TrimSettings }): TrimChoice {
  return params.caller.kind === "run" ? params.settings.runs : "off";
}

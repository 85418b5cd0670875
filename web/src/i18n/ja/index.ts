import type { en } from "../en/index.ts";
import { actions } from "./actions.ts";
import { agents } from "./agents.ts";
import { calls } from "./calls.ts";
import { chat } from "./chat.ts";
import { common } from "./common.ts";
import { gateway } from "./gateway.ts";
import { keys } from "./keys.ts";
import { deadLetters } from "./dead-letters.ts";
import { messages } from "./messages.ts";
import { overview } from "./overview.ts";
import { reason } from "./reason.ts";
import { shell } from "./shell.ts";
import { state } from "./state.ts";
import { task } from "./task.ts";
import { tasks } from "./tasks.ts";
import { transcript } from "./transcript.ts";

/** The keys of a dictionary with other words. Japanese has no plural, so `_one` falls away. */
type SameKeys<T> = {
  readonly [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string
    ? string
    : SameKeys<T[K]>;
};

/** Every word of the console in Japanese, and the reasons, which the server says in English only. */
export const ja = {
  ...common,
  ...state,
  ...shell,
  ...overview,
  ...tasks,
  ...task,
  ...actions,
  ...agents,
  ...messages,
  ...deadLetters,
  ...chat,
  ...calls,
  ...gateway,
  ...keys,
  ...transcript,
  ...reason,
} as const satisfies SameKeys<typeof en>;

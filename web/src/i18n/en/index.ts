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
import { shell } from "./shell.ts";
import { state } from "./state.ts";
import { task } from "./task.ts";
import { tasks } from "./tasks.ts";
import { transcript } from "./transcript.ts";

/**
 * Every word of the console in English; the other languages have the same keys. Reasons are not among them: the
 * server says them in English, the same sentence as on the command line.
 */
export const en = {
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
} as const;

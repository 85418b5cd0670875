import type { Command } from "commander";
import { slotId, taskId } from "../contract/index.ts";
import { declare } from "./catalog.ts";
import { action, integer, valueOf, type CommandContext } from "./context.ts";
import { printSystemLog } from "./system-log.ts";
import { printTranscripts, type LogFlags } from "./transcript-log.ts";

export function addLogsCommand(program: Command): void {
  declare(program, "logs")
    .option("--task <id>", "of one task", valueOf(taskId))
    .option("--agent <slot>", "of one agent", valueOf(slotId))
    .option("--follow", "go on with what comes")
    .option("--lines <number>", "at most this many items to begin with", integer(1, 100_000), 50)
    .option("--system", "the product's own log instead; also when it is not running")
    .action(
      action((context: CommandContext, flags: LogFlags & { readonly system?: true }) =>
        flags.system === true ? printSystemLog(context, flags.lines) : printTranscripts(context, flags),
      ),
    );
}

import type { Clock, Log, Random } from "../../../base/index.ts";
import type { Database } from "../../../store/index.ts";
import type { TaskService } from "../../../tasks/index.ts";
import type { CommandPorts } from "../agents-port.ts";
import type { IssueIntake } from "../issue-intake.ts";
import type { Trust } from "../trust.ts";

export interface CommandsParams {
  readonly ports: CommandPorts;
  readonly database: Database;
  readonly tasks: TaskService;
  readonly intake: IssueIntake;
  readonly trust: Trust;
  readonly ownLogin: () => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

import { AppError } from "../base/index.ts";
import type { CommandPorts } from "../chat/index.ts";
import type { TaskQueries } from "../tasks/index.ts";
import type { AgentDesk } from "./agent-desk.ts";
import type { Domain } from "./domain.ts";

/** What slash commands of the chat do with tasks and agents. */
export function createChatCommands(params: {
  readonly intake: Domain["intake"];
  readonly reads: Pick<TaskQueries, "repositories">;
  readonly agents: Pick<AgentDesk, "tell" | "wake">;
}): CommandPorts {
  return {
    createTask: async ({ repository, title, body, idempotencyKey }) => {
      const known = await params.reads.repositories();
      const fitting = known.filter((one) => repository === null || one.name === repository);
      const [found] = fitting;
      if (found === undefined || fitting.length > 1) throw unclear(repository, known);
      const { id } = await params.intake.add(
        {
          repositoryPath: found.path,
          targetBranch: found.targetBranch,
          title,
          body,
          labels: [],
          dependsOn: [],
        },
        { idempotencyKey, source: "chat" },
      );
      params.agents.wake();
      return { taskId: id, title, repositoryName: found.name };
    },
    askAgent: async ({ agent, text, from, idempotencyKey }) => {
      const slot = agent.toLowerCase();
      await params.agents.tell(slot, text, { from, idempotencyKey });
      return { slot };
    },
  };
}

function unclear(repository: string | null, known: readonly { readonly name: string }[]): AppError {
  const names = [...new Set(known.map(({ name }) => name))].join(", ");
  const message =
    known.length === 0
      ? "No repository is known yet, so there is none to make a task for."
      : repository === null
        ? `Which repository? /task @NAME TITLE; there are ${names}.`
        : `"@${repository}" is not the name of one repository; there are ${names}.`;
  return new AppError({
    code: "input.invalid",
    message,
    fix: known.length === 0 ? "miyabi init" : null,
    details: { field: "content" },
  });
}

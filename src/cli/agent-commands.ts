import type { Command } from "commander";
import { AppError } from "../base/index.ts";
import { taskId, type AgentView } from "../contract/index.ts";
import { openPane } from "./attach.ts";
import { declare } from "./catalog.ts";
import { action, valueOf } from "./context.ts";
import { findAgent } from "./find-agent.ts";
import { restartAgents } from "./restart.ts";
import { oneLine, table } from "./table.ts";

const idOf = valueOf(taskId);

export function addAgentCommands(program: Command): void {
  declare(program, "agents").action(
    action(async ({ client, output }) => {
      const { items } = await (await client()).call("listAgents");
      output.result({ items }, items.length === 0 ? "The team has nobody." : teamText(items));
    }),
  );
  declare(program, "attach").action(
    action(async ({ client, output, env }, slot: string) => {
      const agent = await findAgent(await client(), slot);
      if (agent.attachCommand === null)
        throw new AppError({
          code: "tool.missing",
          message: "The agents run without tmux, so there is no pane to show.",
          fix: `miyabi logs --agent ${slot} --follow`,
        });
      return openPane({ output, env, command: agent.attachCommand, value: { command: agent.attachCommand } });
    }),
  );
  declare(program, "tell").action(
    action(async ({ client, output }, slot: string, text: string) => {
      const api = await client();
      await findAgent(api, slot);
      const message = await api.call("tellAgent", { params: { slot }, body: { text } });
      output.result(message, `The message is on its way to ${slot}.`);
    }),
  );
  const takeover = declare(program, "takeover");
  takeover.registeredArguments[0]?.argParser(idOf);
  takeover.action(
    action(async ({ client, output, env }, id: string) => {
      const taken = await (await client()).call("takeOverTask", { params: { id } });
      output.note(
        `The agent's terminal is in the pane of ${taken.slot}. Give it back: miyabi handback ${id}`,
      );
      if (taken.attachCommand === null) return output.result(taken, "Without tmux there is no pane to show.");
      return openPane({ output, env, command: taken.attachCommand, value: taken });
    }),
  );
  const handback = declare(program, "handback");
  handback.registeredArguments[0]?.argParser(idOf);
  handback.action(
    action(async ({ client, output }, id: string) => {
      const task = await (await client()).call("handBackTask", { params: { id } });
      output.result(task, `${task.id} is its agent's again.`);
    }),
  );
  declare(program, "restart")
    .option("--rolling", "one after the other, each when the one before is back")
    .action(action(restartAgents));
  declare(program, "drain")
    .option("--off", "take work again")
    .action(
      action(async ({ client, output }, slot: string, flags: { readonly off?: true }) => {
        const api = await client();
        await findAgent(api, slot);
        const agent = await api.call("drainAgent", { params: { slot }, body: { drain: flags.off !== true } });
        output.result(agent, `${agent.slot}: ${agent.state}`);
      }),
    );
}

function teamText(items: readonly AgentView[]): string {
  return table([
    ["agent", "name", "role", "state", "profile", "task", "doing"],
    ...items.map((one) => [
      one.slot,
      `${one.name} ${one.nameJa}`,
      one.role,
      one.state,
      one.profile,
      one.taskId ?? "—",
      oneLine(one.reason?.message ?? one.lastEvent ?? one.taskTitle ?? "—"),
    ]),
  ]);
}

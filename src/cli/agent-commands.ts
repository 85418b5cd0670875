import type { Command } from "commander";
import { AppError, spawnProcess, systemClock } from "../base/index.ts";
import type { AgentView } from "../contract/index.ts";
import { action, type CommandContext } from "./context.ts";
import { followLogs, type LogFlags } from "./logs.ts";
import { stateText, table } from "./output.ts";

const BACK_DEADLINE_MS = 60_000;

export function addAgentCommands(program: Command): void {
  program
    .command("status")
    .description("what runs, waits and failed, and whether every part is well")
    .action(
      action(async ({ client, output }) => {
        const status = await (await client()).call("status");
        const counts = Object.entries(status.counts).filter(([, count]) => count > 0);
        output.result(
          status,
          [
            counts.length === 0
              ? 'No tasks. Add one: miyabi task add --repo PATH --title "…"'
              : counts.map(([state, count]) => `${count} ${state}`).join(", "),
            ...status.running.map(
              (task) =>
                `  ${task.id}  ${stateText(task.state)}  ${task.step ?? ""}  ${task.slot ?? ""}  ${task.title}`,
            ),
            ...status.needsYou.questions.map(
              (question) =>
                `  ${question.id} waits for you: ${question.text}\n    miyabi ask answer ${question.id} "…"`,
            ),
            ...status.needsYou.tasks.map(
              (task) =>
                `  ${task.id} needs you: ${task.reason?.message ?? task.title}\n    miyabi task explain ${task.id}`,
            ),
            "",
            table(
              status.health.map((part) => [part.state === "ok" ? "ok" : part.state, part.name, part.detail]),
            ),
          ].join("\n"),
        );
        return status.health.some((part) => part.state === "down") ? 69 : 0;
      }),
    );
  program
    .command("agents")
    .description("the team, slot by slot")
    .action(
      action(async ({ client, output }) => {
        const { items } = await (await client()).call("listAgents");
        output.result(
          { items },
          table([
            ["agent", "name", "role", "state", "task", "profile"],
            ...items.map((one) => [
              one.slot,
              `${one.name} ${one.nameJa}`,
              one.role,
              one.state,
              one.taskId ?? "—",
              one.profile,
            ]),
          ]),
        );
      }),
    );
  program
    .command("attach <agent>")
    .description("show the agent's pane (Ctrl-b d leaves it)")
    .action(
      action(async ({ client, output }, slot: string) => {
        const { items } = await (await client()).call("listAgents");
        const agent = items.find((one) => one.slot === slot);
        if (agent === undefined)
          throw new AppError({
            code: "not_found",
            message: `There is no agent "${slot}".`,
            fix: "miyabi agents",
          });
        if (agent.attachCommand === null)
          throw new AppError({
            code: "tool.missing",
            message: "Without tmux there is no pane.",
            fix: "miyabi logs --agent " + slot,
          });
        if (!process.stdout.isTTY)
          return output.result({ command: agent.attachCommand }, agent.attachCommand);
        return attach(agent.attachCommand);
      }),
    );
  program
    .command("takeover <task>")
    .description("work in the agent's own terminal, in its pane")
    .action(
      action(async ({ client, output }, id: string) => {
        const taken = await (await client()).call("takeOverTask", { params: { id } });
        output.result(
          taken,
          `The agent's terminal opens in the pane of ${taken.slot}:\n  ${taken.attachCommand ?? ""}\nGive it back: miyabi handback ${id}`,
        );
      }),
    );
  program
    .command("handback <task>")
    .description("give a taken-over task back, with your commits")
    .action(
      action(async ({ client, output }, id: string) => {
        const task = await (await client()).call("handBackTask", { params: { id } });
        output.result(task, `${task.id} is its agent's again.`);
      }),
    );
  program
    .command("restart [agent]")
    .description("end agent hosts and start new ones; their work resumes")
    .option("--rolling", "one after the other, each when the one before is back")
    .action(
      action(async ({ client, output }, slot: string | undefined, flags: { rolling?: true }) => {
        const api = await client();
        const { items } = await api.call("listAgents");
        const slots = slot === undefined ? items.map((one) => one.slot) : [slot];
        const restarted: AgentView[] = [];
        for (const one of slots) {
          restarted.push(await api.call("restartAgent", { params: { slot: one } }));
          output.note(`${one} restarts`);
          if (flags.rolling === true)
            await waitUntilBack(api, one, items.find((agent) => agent.slot === one)?.hostPid ?? null);
        }
        output.result({ items: restarted }, `${restarted.length} restarted.`);
      }),
    );
  program
    .command("drain <agent>")
    .description("let the agent finish its run and take no other")
    .option("--off", "take work again")
    .action(
      action(async ({ client, output }, slot: string, flags: { off?: true }) => {
        const agent = await (
          await client()
        ).call("drainAgent", { params: { slot }, body: { drain: flags.off !== true } });
        output.result(agent, `${agent.slot}: ${agent.state}`);
      }),
    );
  program
    .command("tell <agent> <text>")
    .description("say something to the agent that works in a slot")
    .action(
      action(async ({ client, output }, slot: string, text: string) => {
        const message = await (await client()).call("tellAgent", { params: { slot }, body: { text } });
        output.result(message, `Message ${message.id} is on its way to ${slot}.`);
      }),
    );
  const ask = program.command("ask").description("what waits for a person");
  ask
    .command("list")
    .description("open questions, permission requests and approvals")
    .action(
      action(async ({ client, output }) => {
        const page = await (await client()).call("listQuestions");
        output.result(
          page,
          page.items.length === 0
            ? "Nothing waits for you."
            : page.items
                .map(
                  (one) =>
                    `${one.id}  ${one.taskId}  ${one.asker}: ${one.text}${one.options.length === 0 ? "" : `  [${one.options.join(" | ")}]`}`,
                )
                .join("\n"),
        );
      }),
    );
  ask
    .command("answer <id> <text>")
    .description("answer one")
    .action(
      action(async ({ client, output }, id: string, answer: string) => {
        const question = await (await client()).call("answerQuestion", { params: { id }, body: { answer } });
        output.result(question, `${question.id} is answered.`);
      }),
    );
  program
    .command("logs")
    .description("transcripts of runs")
    .option("--task <id>", "of one task")
    .option("--agent <slot>", "of one agent")
    .option("--follow", "go on with what comes")
    .option("--lines <number>", "at most this many items to begin with", "50")
    .action(action((context: CommandContext, flags: LogFlags) => followLogs(context, flags)));
}

/** Hands the terminal over to tmux until the person leaves. */
function attach(command: string): Promise<number> {
  const child = spawnProcess("/bin/sh", ["-c", command], { stdio: "inherit" });
  return new Promise((resolve) => {
    child.on("error", () => resolve(70));
    child.on("exit", (code) => resolve(code ?? 70));
  });
}

async function waitUntilBack(
  api: Awaited<ReturnType<CommandContext["client"]>>,
  slot: string,
  oldPid: number | null,
): Promise<void> {
  const deadline = systemClock.monotonicMs() + BACK_DEADLINE_MS;
  for (;;) {
    const agent = (await api.call("listAgents")).items.find((one) => one.slot === slot);
    if (agent?.hostPid != null && agent.hostPid !== oldPid) return;
    if (systemClock.monotonicMs() > deadline)
      throw new AppError({
        code: "agent.unavailable",
        message: `${slot} did not come back within 60 s.`,
        fix: "miyabi agents",
      });
    await systemClock.sleep(200);
  }
}

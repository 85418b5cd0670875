import { Option, type Command } from "commander";
import { installAgent, installTeamAgents } from "./agent-packages.ts";
import { declare, type CommandName } from "./catalog.ts";
import { action, integer, type CommandContext } from "./context.ts";
import { runDemo, type DemoFlags } from "./demo.ts";
import { shutDown, startDetached, type UpFlags } from "./detached.ts";

const port = integer(1, 65_535);

export function addRunCommands(program: Command): void {
  withUpOptions(program, "up")
    .option("-d, --detach", "start in the background")
    .action(
      action(async (context, flags: UpFlags & { readonly detach?: true }) => {
        if (flags.detach === true) return startInBackground(context, flags);
        await installTeamAgents({ env: context.env, note: context.output.note });
        if (flags.agent !== undefined)
          await installAgent({ env: context.env, note: context.output.note, name: flags.agent });
        const { runUp } = await import("../main/index.ts");
        return runUp({
          env: context.env,
          port: flags.port ?? null,
          demo: flags.demo ? "auto" : "never",
          profile: flags.agent ?? null,
          runtime: flags.runtime ?? null,
          unsafeNoSandbox: flags.unsafeNoSandbox === true,
          json: context.output.json,
        });
      }),
    );
  withUpOptions(program, "start").action(action(startInBackground));
  declare(program, "demo")
    .option("--exit", "end when all is done; exit code 0 only if every task is done")
    .option("--agent <profile>", "a real agent instead of the sample agent, e.g. claude")
    .option("--port <number>", "port, where this starts the product", port)
    .action(action((context: CommandContext, flags: DemoFlags) => runDemo(context, flags)));
  declare(program, "shutdown").action(
    action(async ({ env, client, output }) => {
      await shutDown(env, await client());
      output.result({ stopped: true }, "Stopped. Tasks go on where they are after: miyabi up");
    }),
  );
}

function withUpOptions(program: Command, name: CommandName): Command {
  return declare(program, name)
    .option("--port <number>", "port of console and API", port)
    .option("--no-demo", "do not work on the sample project when nothing is configured")
    .option("--agent <profile>", "agent for the sample project, e.g. claude")
    .addOption(new Option("--runtime <kind>", "where agents run").choices(["tmux", "process"]))
    .option("--unsafe-no-sandbox", "run agents without a sandbox: they can read and change what you can");
}

async function startInBackground({ env, output }: CommandContext, flags: UpFlags): Promise<void> {
  const { client, logFile } = await startDetached(env, flags, output.note);
  const url = client.url.replace("127.0.0.1", "localhost");
  output.result(
    { url, pid: client.pid, logFile },
    [
      `Miyabi Orchestra runs.  ${url}`,
      "",
      "  Console      miyabi login        (prints a link that signs your browser in)",
      "  Agents       miyabi attach kaede",
      "  Progress     miyabi status",
      `  Output       ${logFile}`,
      "  Stop         miyabi shutdown",
    ].join("\n"),
  );
}

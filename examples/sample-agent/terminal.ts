import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { loadSession } from "./session-store.ts";

/** For a person who takes over: says what this is and what was done, then runs what is typed in a shell, until `exit`. */
export async function runTerminal(home: string, sessionId: string): Promise<void> {
  const stored = await loadSession(home, sessionId).catch(() => null);
  process.stdout.write(
    "\nThis is the sample agent. It has no model: it carries out recipes, and here it only runs shell commands.\n" +
      "You are in the agent's sandbox and in its clone. Commit what you want to keep; `exit` hands back.\n\n",
  );
  const said = stored?.turns.at(-1)?.said.trim() ?? "";
  if (said !== "") process.stdout.write(`It last said:\n${said}\n\n`);
  const input = createInterface({ input: process.stdin, output: process.stdout, prompt: "sample-agent> " });
  input.on("SIGINT", () => input.prompt());
  input.prompt();
  for await (const line of input) {
    const command = line.trim();
    if (command === "exit" || command === "quit") break;
    if (command !== "") {
      input.pause();
      await runShell(command, stored?.cwd ?? process.cwd());
      input.resume();
    }
    input.prompt();
  }
  input.close();
}

function runShell(command: string, cwd: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", command], { cwd, stdio: "inherit" });
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  });
}

import { homedir } from "node:os";
import { Readable, Writable } from "node:stream";

// A stand-in for a coding agent: `node examples/sample-agent` speaks ACP on standard input and output,
// `--terminal SESSION` is its terminal program for a person who takes a task over.

const { HOME, SAMPLE_AGENT_PACE_MS } = process.env;
const home = HOME ?? homedir();

if (process.argv[2] === "--terminal") {
  const { runTerminal } = await import("./terminal.ts");
  await runTerminal(home, process.argv[3] ?? "");
} else {
  const [{ ndJsonStream }, { createSampleAgent }] = await Promise.all([
    import("@agentclientprotocol/sdk"),
    import("./agent.ts"),
  ]);
  const { app, stop } = createSampleAgent({ home, paceMs: Number(SAMPLE_AGENT_PACE_MS ?? 0) });
  const connection = app.connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
  await connection.closed;
  stop(); // Commands of an unfinished turn must not outlive the client.
  process.exit(0);
}

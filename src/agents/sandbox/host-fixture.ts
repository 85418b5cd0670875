import { systemClock } from "../../base/index.ts";
import { readHostLayout } from "./layout.ts";
import type { SandboxSpec } from "./spec.ts";
import { startSandbox } from "./start.ts";

// A host for tests that are about its death: starts the sandbox of its argument, prints its identity and stays.
const handle = await startSandbox({
  spec: JSON.parse(process.argv[2] ?? "") as SandboxSpec,
  runtime: "bubblewrap",
  layout: await readHostLayout(process.env["PATH"] ?? ""),
  clock: systemClock,
});
process.stdout.write(`${JSON.stringify(handle.identity)}\n`);

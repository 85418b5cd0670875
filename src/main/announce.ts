import { commandName, type Home } from "../base/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Settings } from "./settings.ts";

interface AnnounceParams {
  readonly plane: ControlPlane;
  readonly home: Home;
  readonly settings: Settings;
  readonly launcher: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tells a person at the terminal what runs, where to look and what to do next. Every command works when pasted. */
export function announce({ plane, home, launcher, env }: Readonly<AnnounceParams>): void {
  const miyabi = commandName(env, launcher);
  const lines = [
    "",
    `  Miyabi Orchestra runs.  ${plane.url.replace("127.0.0.1", "localhost")}`,
    "",
    `  Console      ${miyabi} login        (prints a link that signs your browser in)`,
    `  Agents       ${miyabi} attach kaede`,
    `  Progress     ${miyabi} status`,
    `  Data         ${home.root}`,
    ...(plane.sample === null
      ? ["", `  Next         ${miyabi} task add --repo /path/to/your/repository --title "…"`]
      : [
          "",
          "  Nothing is configured yet, so the built-in sample agent works on a sample project:",
          `  ${plane.sample}`,
          "",
          `  Next         ${miyabi} init         (in your own repository)`,
        ]),
    "  Stop         Ctrl-C",
    "",
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}

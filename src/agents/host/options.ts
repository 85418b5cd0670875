import { parseArgs } from "node:util";
import { z } from "zod";
import { AppError, type Home } from "../../base/index.ts";

const options = z.object({
  slot: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  role: z.string().min(1),
  /** e.g. `Kaede カエデ`. */
  name: z.string().min(1),
  color: z.string().default(""),
  /** Base URL of the control plane. */
  url: z.url({ protocol: /^https?$/ }),
  /** File that holds the host token. */
  "token-file": z.string().startsWith("/"),
  /** Name of this machine; sessions stay on theirs. */
  machine: z.string().min(1),
  /** Where the agents' npm packages are installed; readable inside. */
  "agents-dir": z.string().startsWith("/"),
  /** The sample agent's program; readable inside. */
  "sample-dir": z.string().startsWith("/"),
  /** Further directories that programs may read inside, e.g. modules of the sample agent. */
  "read-only": z.array(z.string().startsWith("/")).default([]),
  /** Conductor only: the command line's program and first arguments, as a JSON array. */
  cli: z
    .string()
    .transform((text, context) => {
      const parsed = z.array(z.string()).min(1).safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: "a JSON array of strings is needed" });
      return z.NEVER;
    })
    .optional(),
});
export type HostOptions = z.infer<typeof options>;

/** Reads the host's command line. @throws config.invalid naming the option. */
export function parseHostOptions(args: readonly string[]): HostOptions {
  const names = Object.keys(options.shape);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        names.map((name) => [name, { type: "string" as const, multiple: name === "read-only" }]),
      ),
    });
    return options.parse(values);
  } catch (error) {
    const text =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `--${issue.path.join(".")}: ${issue.message}`).join("; ")
        : String(error);
    throw new AppError({
      code: "config.invalid",
      message: `The agent host cannot start: ${text}`,
      cause: error,
    });
  }
}

interface HostCommandParams extends Omit<
  HostOptions,
  "token-file" | "agents-dir" | "sample-dir" | "read-only" | "cli"
> {
  readonly nodeFile: string;
  /** `main.ts` of this folder, or its bundle. */
  readonly program: string;
  readonly tokenFile: string;
  readonly agentsDir: string;
  readonly sampleAgentDir: string;
  readonly readOnly: readonly string[];
  readonly cli: readonly string[] | null;
  readonly home: Pick<Home, "root">;
  /** `PATH` and locale of the installation; nothing else of the caller's environment is needed. */
  readonly env: Readonly<Record<string, string>>;
}

/** Program, arguments and environment that start a host, for a `SlotRuntime`. Pure. */
export function hostCommand(params: Readonly<HostCommandParams>): {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const { slot, role, name, color, url, machine } = params;
  const values = { slot, role, name, color, url, machine, "token-file": params.tokenFile };
  return {
    command: [
      params.nodeFile,
      // A host waits most of its life: a small young generation and no compiler threads keep it small.
      ...["--max-semi-space-size=1", "--v8-pool-size=1"],
      params.program,
      ...Object.entries(values).map(([key, value]) => `--${key}=${value}`),
      `--agents-dir=${params.agentsDir}`,
      `--sample-dir=${params.sampleAgentDir}`,
      ...params.readOnly.map((directory) => `--read-only=${directory}`),
      ...(params.cli === null ? [] : [`--cli=${JSON.stringify(params.cli)}`]),
    ],
    env: { ...params.env, MIYABI_HOME: params.home.root },
  };
}

import { access, constants, statfs } from "node:fs/promises";
import path from "node:path";
import { messageOf, resolveHome, systemClock, systemProcessRunner } from "../base/index.ts";
import {
  isAgentInstalled,
  probeSandbox,
  profileNames,
  readHostLayout,
  resolveProfile,
} from "../agents/index.ts";
import { loadSecrets, loadSettings } from "../main/index.ts";
import { openClient } from "./client.ts";

export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix: string | null;
}

const MIN_FREE_BYTES = 2 * 1024 ** 3;
const KEYS = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

/** Looks at everything that the product needs on this machine; never throws for what it finds. */
export async function examine(
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const home = resolveHome(env);
  const searchPath = env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail, fix: null });
  const tool = async (name: string, args: readonly string[], state: "warn" | "fail"): Promise<Finding> => {
    const result = await systemProcessRunner
      .run({ command: name, args, env: { PATH: searchPath }, timeoutMs: 10_000 })
      .catch(() => null);
    return result?.code === 0
      ? ok(name, result.stdout.trim().split("\n")[0] ?? "")
      : { name, state, detail: "It is not installed.", fix: `apt-get install ${name}` };
  };
  const attempt = (name: string, work: () => Promise<Finding>): Promise<Finding> =>
    work().catch((error: unknown): Finding => ({ name, state: "fail", detail: messageOf(error), fix: null }));

  return Promise.all([
    Promise.resolve(ok("node", process.versions.node)),
    tool("git", ["--version"], "fail"),
    tool("tmux", ["-V"], "warn"),
    attempt("sandbox", async () => {
      const probe = await probeSandbox({
        runner: systemProcessRunner,
        layout: await readHostLayout(searchPath),
        clock: systemClock,
      });
      return probe.available
        ? ok("sandbox", `bubblewrap ${probe.version} works`)
        : { name: "sandbox", state: "warn", detail: `${probe.reason} Only the sample runs.`, fix: probe.fix };
    }),
    attempt("data", async () => {
      const place = await firstExisting(home.root);
      await access(place, constants.W_OK);
      const { bavail, bsize } = await statfs(place);
      const free = bavail * bsize;
      return free < MIN_FREE_BYTES
        ? {
            name: "data",
            state: "warn",
            detail: `${home.root}: only ${(free / 1024 ** 3).toFixed(1)} GiB free.`,
            fix: "Free some space, or set MIYABI_HOME to another disk.",
          }
        : ok("data", `${home.root}, ${(free / 1024 ** 3).toFixed(0)} GiB free`);
    }),
    attempt("settings", async () => {
      const { configured } = await loadSettings(home);
      return ok("settings", configured ? home.configFile : "defaults; miyabi init makes your own");
    }),
    attempt("keys", async () => {
      const secrets = await loadSecrets(home);
      const found = KEYS.filter((name) => secrets.has(name) || (env[name] ?? "") !== "");
      return found.length > 0
        ? ok("keys", found.join(", "))
        : {
            name: "keys",
            state: "warn",
            detail: "No model key; only the sample agent works.",
            fix: `Write ANTHROPIC_API_KEY=… into ${home.envFile}`,
          };
    }),
    attempt("agents", async () => {
      const { settings } = await loadSettings(home);
      const names = profileNames(settings.agents.profiles);
      const place = { agentsDir: path.join(home.root, "agents"), sampleAgentDir: "" };
      const installed = (
        await Promise.all(
          names.map(async (name) =>
            (await isAgentInstalled({ profile: resolveProfile(name, settings.agents.profiles), ...place }))
              ? name
              : null,
          ),
        )
      ).filter((name) => name !== null);
      return ok("agents", `installed: ${installed.join(", ")}`);
    }),
    attempt("running", async () => {
      const client = await openClient(env).catch(() => null);
      const health = await client?.call("health").catch(() => null);
      if (client == null || health == null)
        return {
          name: "running",
          state: "warn",
          detail: "miyabi is not running.",
          fix: "miyabi up --detach",
        };
      const bad = health.components.filter((part) => part.state !== "ok");
      return bad.length === 0
        ? ok("running", client.url)
        : {
            name: "running",
            state: "warn",
            detail: bad.map((part) => `${part.name}: ${part.detail}`).join(" "),
            fix: bad[0]?.fix ?? null,
          };
    }),
  ]);
}

async function firstExisting(directory: string): Promise<string> {
  const exists = await access(directory).then(
    () => true,
    () => false,
  );
  return exists || directory === path.dirname(directory) ? directory : firstExisting(path.dirname(directory));
}

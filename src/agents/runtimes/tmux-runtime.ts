import { chmod, mkdir } from "node:fs/promises";
import path from "node:path";
import { AppError, type Clock, type ProcessRunner, quoteForShell } from "../../base/index.ts";
import { endProcess } from "./end-process.ts";
import type { SlotProcess, SlotRuntime, SlotScreen, StartSlot } from "./slot-runtime.ts";
import { createTmuxClient, type TmuxClient } from "./tmux-client.ts";

interface TmuxRuntimeParams {
  /** Holds `tmux.sock`; a unix socket's path must stay under 108 bytes. */
  readonly runDir: string;
  readonly runner: ProcessRunner;
  readonly clock: Clock;
  /** `PATH`, `HOME`, `LANG` and the like; becomes the global environment of the tmux server. */
  readonly env: Readonly<Record<string, string>>;
  readonly command?: string;
}

const SESSION = "miyabi-orchestra";
const PANES_PER_WINDOW = 6; // tiled 3 × 2 on 200 × 50: about 66 × 24 each
const DEFAULT_GRACE_MS = 2000;

interface Pane extends SlotProcess {
  readonly paneId: string;
  readonly windowId: string;
}

const SERVER_OPTIONS: readonly (readonly string[])[] = [
  ["-s", "exit-empty", "off"],
  ["-s", "escape-time", "10"],
  ["-g", "default-terminal", "screen-256color"],
  ["-g", "default-shell", "/bin/sh"],
  ["-g", "default-size", "200x50"],
  ["-g", "history-limit", "5000"],
  ["-g", "mouse", "on"],
  ["-g", "remain-on-exit", "on"],
  ["-g", "allow-rename", "off"],
  ["-g", "automatic-rename", "off"],
  ["-g", "set-titles", "off"],
  ["-g", "pane-border-status", "top"],
  [
    "-g",
    "pane-border-format",
    "#{?@miyabi_slot,#[fg=#{@miyabi_color}]#[bold] #{@miyabi_title} #[nobold]#{?pane_dead,· stopped ,},}",
  ],
  ["-g", "pane-border-style", "fg=colour238"],
  ["-g", "pane-active-border-style", "fg=colour250"],
  ["-g", "status-style", "bg=colour235,fg=colour250"],
  ["-g", "status-left", "#[bold] 雅 miyabi #[nobold]"],
  ["-g", "status-left-length", "20"],
  ["-g", "status-right", " Ctrl-b z zoom · Ctrl-b arrows move · Ctrl-b n next window · Ctrl-b d leave "],
  ["-g", "status-right-length", "90"],
];

/** Panes of a tmux server of our own: session `miyabi-orchestra`, one pane per slot, six in a window. */
export function createTmuxRuntime(params: Readonly<TmuxRuntimeParams>): SlotRuntime {
  const tmux = createTmuxClient({
    socket: path.join(params.runDir, "tmux.sock"),
    runner: params.runner,
    env: params.env,
    ...(params.command === undefined ? {} : { command: params.command }),
  });
  // Two starts at once would both find "no session" and race for the place of a pane.
  let queue: Promise<unknown> = Promise.resolve();
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };

  const panes = (): Promise<readonly Pane[]> => listPanes(tmux);
  const find = async (slot: string): Promise<Pane | null> =>
    (await panes()).find((pane) => pane.slot === slot) ?? null;

  const ensureServer = async (): Promise<void> => {
    if ((await tmux.attempt("show-options", "-gv", "@miyabi_ready").catch(missingToNull)) !== null) return;
    await tmux.checkVersion();
    await mkdir(params.runDir, { recursive: true, mode: 0o700 });
    await chmod(params.runDir, 0o700);
    const options = SERVER_OPTIONS.flatMap((option) => [";", "set-option", ...option]);
    // One invocation: a server that answers with `@miyabi_ready` has all of them.
    await tmux.run("start-server", ...options, ";", "set-option", "-g", "@miyabi_ready", "1");
  };

  const spawn = async (spec: Readonly<StartSlot>, old: Pane | null): Promise<SlotProcess> => {
    const paneId = old?.paneId ?? (await openPane(tmux, spec));
    const environment = Object.entries(spec.env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    await tmux.run(
      ...["set-option", "-p", "-t", paneId, "@miyabi_slot", spec.slot, ";"],
      ...["set-option", "-p", "-t", paneId, "@miyabi_title", spec.title.replaceAll("#", ""), ";"],
      ...["set-option", "-p", "-t", paneId, "@miyabi_color", cssToTmuxColor(spec.color), ";"],
      ...["respawn-pane", "-k", ...environment, "-t", paneId, paneCommand(spec)],
    );
    await tmux.attempt("select-layout", "-t", paneId, "tiled");
    const pane = await find(spec.slot);
    if (pane === null)
      throw new AppError({ code: "process.failed", message: `The pane of ${spec.slot} did not start.` });
    return pane;
  };

  const restart = async (spec: Readonly<StartSlot>): Promise<SlotProcess> => {
    await ensureServer();
    const old = await find(spec.slot);
    // respawn-pane -k only hangs up, which a stopped process does not take.
    if (old !== null && !old.dead)
      await endProcess({ pid: old.pid, startTicks: null, graceMs: 0, clock: params.clock });
    return spawn(spec, old);
  };

  const stopPane = async (pane: Pane, graceMs: number): Promise<void> => {
    if (!pane.dead) await endProcess({ pid: pane.pid, startTicks: null, graceMs, clock: params.clock });
    await tmux.attempt("kill-pane", "-t", pane.paneId);
    await tmux.attempt("select-layout", "-t", pane.windowId, "tiled");
  };

  return {
    kind: "tmux",
    ensureServer: () => exclusive(ensureServer),
    list: panes,
    start: (spec) =>
      exclusive(async () => {
        await ensureServer();
        const old = await find(spec.slot);
        return old !== null && !old.dead ? old : spawn(spec, old);
      }),
    restart: (spec) => exclusive(() => restart(spec)),
    stop: (slot, graceMs = DEFAULT_GRACE_MS) =>
      exclusive(async () => {
        const pane = await find(slot);
        if (pane !== null) await stopPane(pane, graceMs);
      }),
    capture: async (slot) => {
      const pane = await find(slot);
      return pane === null ? null : capturePane(tmux, pane);
    },
    attachCommand: async (slot) => {
      const pane = await find(slot);
      if (pane === null) return null;
      const target = quoteForShell(pane.paneId);
      return `${tmux.shellPrefix} select-window -t ${target} \\; select-pane -t ${target} \\; attach-session -t ${SESSION}`;
    },
    stopAll: () =>
      exclusive(async () => {
        const all = await panes().catch(missingToNull);
        await Promise.all((all ?? []).map((pane) => stopPane(pane, DEFAULT_GRACE_MS)));
        await tmux.attempt("kill-server").catch(missingToNull);
      }),
  };
}

/** Without tmux nothing runs in it; every other failure goes on. */
function missingToNull(error: unknown): null {
  if (error instanceof AppError && error.code === "tool.missing") return null;
  throw error;
}

async function listPanes(tmux: TmuxClient): Promise<readonly Pane[]> {
  const format = "#{@miyabi_slot}|#{pane_id}|#{window_id}|#{pane_pid}|#{pane_dead}|#{pane_start_command}";
  const output = await tmux.attempt("list-panes", "-s", "-t", SESSION, "-F", format).catch(missingToNull);
  const found = new Map<string, Pane>();
  for (const line of (output ?? "").split("\n")) {
    const [tag = "", paneId = "", windowId = "", pid = "", dead = "", ...rest] = line.split("|");
    // A crash between opening and tagging leaves the slot's name only in the command.
    const slot = tag !== "" ? tag : (/: miyabi-slot=([a-z0-9-]+);/.exec(rest.join("|"))?.[1] ?? "");
    if (slot === "" || found.has(slot)) continue;
    found.set(slot, { slot, paneId, windowId, pid: Number(pid), dead: dead === "1" });
  }
  return [...found.values()];
}

/** Opens a pane that waits, in the first window with room; the caller gives it its program. */
async function openPane(tmux: TmuxClient, spec: Readonly<StartSlot>): Promise<string> {
  const waiting = `: miyabi-slot=${spec.slot}; exec sleep 3600`;
  const windows = await tmux.attempt(
    ...["list-windows", "-t", SESSION, "-F", "#{window_id} #{window_panes}"],
  );
  if (windows === null)
    return (
      await tmux.run("new-session", "-d", "-s", SESSION, "-n", "agents", "-P", "-F", "#{pane_id}", waiting)
    ).trim();
  const room = windows
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, count]) => Number(count) < PANES_PER_WINDOW)?.[0];
  if (room !== undefined) {
    await tmux.attempt("select-layout", "-t", room, "tiled");
    const pane = await tmux.attempt(...["split-window", "-d", "-t", room, "-P", "-F", "#{pane_id}", waiting]);
    // A small attached terminal may have no space left for one more.
    if (pane !== null) return pane.trim();
  }
  return (
    await tmux.run("new-window", "-d", "-t", SESSION, "-n", "agents", "-P", "-F", "#{pane_id}", waiting)
  ).trim();
}

/** `env -i` because tmux passes its global environment on; only the terminal's own variables come with it. */
function paneCommand(spec: Readonly<StartSlot>): string {
  const words = spec.command.map(quoteForShell).join(" ");
  const names = Object.keys(spec.env)
    .map((name) => `${name}="$${name}"`)
    .join(" ");
  return `: miyabi-slot=${spec.slot}; exec env -i TERM="$TERM" TMUX="$TMUX" TMUX_PANE="$TMUX_PANE" ${names} ${words}`;
}

async function capturePane(tmux: TmuxClient, { paneId, dead }: Pane): Promise<SlotScreen | null> {
  const output = await tmux.attempt(
    ...["display-message", "-p", "-t", paneId, "#{pane_width} #{pane_height}", ";"],
    // tmux scrolls a dead pane to write that it is dead; its last words may have left the screen.
    ...["capture-pane", "-p", "-e", ...(dead ? ["-S", "-10"] : []), "-t", paneId],
  );
  if (output === null) return null;
  const end = output.indexOf("\n");
  const [columns = 0, rows = 0] = output.slice(0, end).split(" ").map(Number);
  return { columns, rows, content: output.slice(end + 1).replace(/\n$/, "") };
}

const cssToTmuxColor = (color: string): string => (/^#[0-9a-f]{6}$/i.test(color) ? color : "default");

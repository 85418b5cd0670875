import path from "node:path";
import { AppError } from "../../base/index.ts";
import { launcherCommand } from "./launcher.ts";
import type { HostLayout } from "./layout.ts";
import { seccompFilter } from "./seccomp.ts";
import { RUN_SOCKET_DIR, SANDBOX_UID, type SandboxSpec } from "./spec.ts";

/** bwrap writes its JSON status here. */
export const STATUS_FD = 3;
const ARGS_FD = 4;
const FIRST_INPUT_FD = 5;

/** How to start one sandbox. */
export interface BuiltSandbox {
  readonly command: string;
  readonly args: readonly string[];
  /** Environment of `command` itself. Empty: `/proc/1/environ` inside shows what the first process got, whatever it clears. */
  readonly env: Readonly<Record<string, string>>;
  /** What the child must find on further file descriptors, to be written and closed. */
  readonly inputs: readonly { readonly fd: number; readonly content: string | Uint8Array }[];
}

/** Marker in the command line of a sandbox's processes outside the reach of the agent; see `killSandboxesOf`. */
export const SANDBOX_ID_VARIABLE = "MIYABI_SANDBOX";

const NAMESPACES = [
  "--die-with-parent",
  "--unshare-user",
  "--unshare-pid",
  "--unshare-ipc",
  "--unshare-uts",
  "--unshare-net",
  "--unshare-cgroup-try",
];

const ACCOUNT_FILES: Readonly<Record<string, string>> = {
  "/etc/passwd": `agent:x:${SANDBOX_UID}:${SANDBOX_UID}:agent:HOME:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
  "/etc/group": `agent:x:${SANDBOX_UID}:\nnogroup:x:65534:\n`,
  "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

function contains(parent: string, child: string): boolean {
  return child === parent || child.startsWith(parent.endsWith("/") ? parent : `${parent}/`);
}

/**
 * The bubblewrap command for a sandbox. Pure.
 * What keeps the agent in (namespaces, filter, mark) stands on the command line; binds and environment travel through a
 * pipe, so that other users of the machine do not see them in the process list, and a host that dies in the middle
 * of writing leaves a sandbox that sees less, never more.
 * Binds come shallow first, so that a bind never covers a deeper one; `hiddenDirs` are covered before the clone, the home
 * and the other binds inside them are put back.
 * @throws tool.missing without bubblewrap; sandbox.unavailable where no filter exists for this CPU; input.invalid where a path is not absolute.
 */
export function buildSandbox(spec: SandboxSpec, layout: HostLayout): BuiltSandbox {
  const filter = seccompFilter(layout.arch);
  if (filter === null)
    throw new AppError({
      code: "sandbox.unavailable",
      message: `The sandbox has no system call filter for ${layout.arch}.`,
    });
  if (layout.bwrapFile === null)
    throw new AppError({ code: "tool.missing", message: "bubblewrap (bwrap) is not installed." });
  checkPaths(spec);
  const files = { ...ACCOUNT_FILES, "/etc/passwd": accountLine(spec.homeDir) };
  const inputs: { fd: number; content: string | Uint8Array }[] = [{ fd: FIRST_INPUT_FD, content: filter }];
  const fileOptions = Object.entries(files).flatMap(([destination, content]) => {
    const fd = FIRST_INPUT_FD + inputs.length;
    inputs.push({ fd, content });
    return ["--file", String(fd), destination];
  });
  const options = [
    ...layout.directories.flatMap((directory) => ["--ro-bind", directory, directory]),
    ...Object.entries(layout.symlinks).flatMap(([link, target]) => ["--symlink", target, link]),
    ...layout.etc.flatMap((file) => ["--ro-bind", file, file]),
    ...fileOptions,
    ...["--proc", "/proc"],
    ...layout.maskedProcFiles.flatMap((file) => ["--ro-bind", "/dev/null", file]),
    // Started as root, uid 1000 inside is uid 0 to the kernel and may write /proc/sys (core_pattern!); bwrap does not cover it.
    ...["--remount-ro", "/proc"],
    ...["--dev", "/dev", ...tmpfs("/dev/shm", spec.limits.tmpfsBytes), "--remount-ro", "/dev"],
    ...(spec.tmpDir === null ? tmpfs("/tmp", spec.limits.tmpfsBytes) : ["--bind", spec.tmpDir, "/tmp"]),
    ...["--symlink", "../tmp", "/var/tmp", "--dir", "/run"],
    ...bindOptions(spec, layout),
    ...["--remount-ro", "/"],
    "--clearenv",
    ...Object.entries(spec.env).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", spec.cwd],
  ];
  const args = [
    ...NAMESPACES,
    ...(spec.terminal ? [] : ["--new-session"]),
    ...["--uid", String(SANDBOX_UID), "--gid", String(SANDBOX_UID), "--hostname", "sandbox"],
    ...["--seccomp", String(FIRST_INPUT_FD), "--json-status-fd", String(STATUS_FD)],
    ...["--setenv", SANDBOX_ID_VARIABLE, spec.id, "--args", String(ARGS_FD)],
    "--",
    ...launcherCommand(spec),
  ];
  const nul = options.map((option) => `${option}\0`).join("");
  return { command: layout.bwrapFile, args, env: {}, inputs: [{ fd: ARGS_FD, content: nul }, ...inputs] };
}

const tmpfs = (directory: string, sizeBytes: number): string[] => [
  "--size",
  String(sizeBytes),
  "--tmpfs",
  directory,
];

const accountLine = (homeDir: string): string =>
  // A colon or a line break would end the field; HOME in the environment is what programs use.
  (ACCOUNT_FILES["/etc/passwd"] ?? "").replace("HOME", () => (/[:\n]/.test(homeDir) ? "/tmp" : homeDir));

function bindOptions(spec: SandboxSpec, layout: HostLayout): string[] {
  const binds = [
    ...spec.readOnlyBinds.map((directory) => ({ kind: "--ro-bind", directory })),
    ...spec.readWriteBinds.map((directory) => ({ kind: "--bind", directory })),
    { kind: spec.cloneWritable ? "--bind" : "--ro-bind", directory: spec.cloneDir },
    { kind: "--bind", directory: spec.homeDir },
  ];
  const shown = ["/tmp", ...layout.directories, ...binds.map((bind) => bind.directory)];
  const covers = spec.hiddenDirs
    .filter((hidden) => shown.some((directory) => contains(directory, hidden) && directory !== hidden))
    .map((directory) => ({ kind: "--tmpfs", directory }));
  const ordered = [...covers, ...binds].sort(
    (a, b) =>
      depth(a.directory) - depth(b.directory) || Number(b.kind === "--tmpfs") - Number(a.kind === "--tmpfs"),
  );
  const options = ordered.flatMap(({ kind, directory }) =>
    kind === "--tmpfs" ? [kind, directory] : [kind, directory, directory],
  );
  // Only after the binds below it have made their mount points.
  options.push(...covers.flatMap(({ directory }) => ["--remount-ro", directory]));
  if (spec.runSocketDir !== null) options.push("--ro-bind", spec.runSocketDir, RUN_SOCKET_DIR);
  return options;
}

const depth = (directory: string): number => directory.split("/").filter((part) => part !== "").length;

function checkPaths(spec: SandboxSpec): void {
  const paths = [
    spec.cloneDir,
    spec.homeDir,
    spec.cwd,
    ...(spec.tmpDir === null ? [] : [spec.tmpDir]),
    ...(spec.runSocketDir === null ? [] : [spec.runSocketDir]),
    ...spec.readOnlyBinds,
    ...spec.readWriteBinds,
    ...spec.hiddenDirs,
  ];
  for (const value of paths)
    if (path.resolve(value) !== value || value === "/" || value.includes("\0"))
      throw new AppError({
        code: "input.invalid",
        message: `A sandbox needs absolute, normalised paths below the root; this is ${JSON.stringify(value)}.`,
      });
}

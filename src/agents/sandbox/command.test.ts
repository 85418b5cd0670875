import { describe, expect, it } from "vitest";
import { buildSandbox, type BuiltSandbox } from "./command.ts";
import type { HostLayout } from "./layout.ts";
import { DEFAULT_LIMITS, type SandboxSpec } from "./spec.ts";

const layout: HostLayout = {
  arch: "x64",
  bwrapFile: "/usr/bin/bwrap",
  symlinks: { "/lib": "usr/lib" },
  directories: ["/usr"],
  etc: ["/etc/ssl/certs"],
  maskedProcFiles: ["/proc/keys"],
};
const spec: SandboxSpec = {
  id: "s1",
  cloneDir: "/data/sessions/s1/clone",
  cloneWritable: true,
  homeDir: "/data/sessions/s1/home",
  tmpDir: "/data/sessions/s1/tmp",
  readOnlyBinds: ["/data/repositories/r.git"],
  readWriteBinds: [],
  hiddenDirs: [],
  runSocketDir: "/data/run/s1",
  env: { HOME: "/data/sessions/s1/home", KEY: "value" },
  command: "agent",
  args: ["--acp"],
  cwd: "/data/sessions/s1/clone",
  companion: null,
  limits: DEFAULT_LIMITS,
  terminal: false,
};

const optionsOf = (built: BuiltSandbox): string[] =>
  String(built.inputs[0]?.content).split("\0").slice(0, -1);
const positionOf = (options: readonly string[], ...words: string[]): number =>
  options.findIndex((_, index) => words.every((word, offset) => options[index + offset] === word));

describe("buildSandbox", () => {
  it("keeps what holds the agent in on the command line and what it sees in a pipe", () => {
    const built = buildSandbox(spec, layout);
    expect(built.env).toEqual({});
    expect(built.args.slice(0, 22)).toEqual([
      ...[
        "--die-with-parent",
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
      ],
      ...["--unshare-cgroup-try", "--new-session", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"],
      ...["--seccomp", "5", "--json-status-fd", "3", "--setenv", "MIYABI_SANDBOX", "s1", "--args"],
    ]);
    expect(built.args.slice(-3)).toEqual(["sh", "agent", "--acp"]);
    expect(built.args.join(" ")).not.toContain("value");
    expect(built.inputs.map((input) => input.fd)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it("binds only clone and home writable, and makes all else read-only at the end", () => {
    const options = optionsOf(buildSandbox(spec, layout));
    const writable = options.flatMap((option, index) => (option === "--bind" ? [options[index + 1]] : []));
    expect(writable).toEqual([spec.tmpDir, spec.cloneDir, spec.homeDir]);
    expect(positionOf(options, "--remount-ro", "/")).toBeGreaterThan(
      positionOf(options, "--bind", spec.homeDir),
    );
    expect(positionOf(options, "--remount-ro", "/proc")).toBeGreaterThan(
      positionOf(options, "--proc", "/proc"),
    );
    expect(positionOf(options, "--ro-bind", "/data/run/s1", "/run/miyabi")).toBeGreaterThan(0);
    expect(positionOf(options, "--clearenv")).toBeLessThan(positionOf(options, "--setenv", "KEY", "value"));
  });

  it("binds parents before what lies in them", () => {
    const options = optionsOf(
      buildSandbox({ ...spec, readOnlyBinds: ["/data/sessions/s1/clone/.git/deep", "/data/x"] }, layout),
    );
    expect(positionOf(options, "--ro-bind", "/data/sessions/s1/clone/.git/deep")).toBeGreaterThan(
      positionOf(options, "--bind", spec.cloneDir),
    );
  });

  it("covers a hidden directory that a bind would show, and puts the clone back into it", () => {
    const inside = { ...spec, hiddenDirs: ["/data"], readOnlyBinds: ["/usr/local/app"] };
    expect(positionOf(optionsOf(buildSandbox(inside, layout)), "--tmpfs", "/data")).toBe(-1);
    const options = optionsOf(
      buildSandbox({ ...spec, hiddenDirs: ["/usr/miyabi"], homeDir: "/usr/miyabi/s/home" }, layout),
    );
    const cover = positionOf(options, "--tmpfs", "/usr/miyabi");
    expect(cover).toBeGreaterThan(positionOf(options, "--ro-bind", "/usr", "/usr"));
    expect(positionOf(options, "--bind", "/usr/miyabi/s/home")).toBeGreaterThan(cover);
    expect(positionOf(options, "--remount-ro", "/usr/miyabi")).toBeGreaterThan(cover);
  });

  it("keeps the terminal only for a person", () => {
    expect(buildSandbox({ ...spec, terminal: true }, layout).args).not.toContain("--new-session");
  });

  it.each(["relative", "/a/../b", "/", "/a/"])("refuses the path %j", (cwd) => {
    expect(() => buildSandbox({ ...spec, cwd }, layout)).toThrow(
      expect.objectContaining({ code: "input.invalid" }) as Error,
    );
  });

  it("refuses a machine without bubblewrap or without a filter for its CPU", () => {
    expect(() => buildSandbox(spec, { ...layout, bwrapFile: null })).toThrow(/not installed/);
    expect(() => buildSandbox(spec, { ...layout, arch: "riscv64" })).toThrow(/riscv64/);
    expect(buildSandbox(spec, { ...layout, arch: "arm64" }).inputs).toHaveLength(6);
  });
});

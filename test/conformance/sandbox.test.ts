import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createRunSocket,
  forwarderCommand,
  FORWARDER_PORT,
  sandboxEnvironment,
  type Denial,
} from "../../src/agents/egress/index.ts";
import {
  DEFAULT_LIMITS,
  readHostLayout,
  startSandbox,
  type SandboxSpec,
} from "../../src/agents/sandbox/index.ts";
import { isProcessAlive, silentLog, systemClock, systemProcessRunner } from "../../src/base/index.ts";
import { createGit, handoverScript, importBundle, parseHandover } from "../../src/repositories/index.ts";

const CANARY = "canary-of-the-host-environment";
const TOKEN = "run-token-that-stays-outside";
const AGENT = path.resolve("test/support/malicious-agent.mjs");

interface Attempt {
  readonly attempt: string;
  readonly succeeded: boolean;
  readonly detail: string;
}

const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args], {
    cwd,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  });

function reachable(options: net.NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(options, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

const cleanUps: (() => unknown)[] = [];

async function listen(server: net.Server, options: net.ListenOptions): Promise<AddressInfo | string | null> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, resolve);
  });
  cleanUps.push(() => server.close());
  return server.address();
}

/** A machine with everything that an agent might want: secrets, other tasks, a cache, listeners, an internet. */
async function setup() {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-sandbox 試験-"));
  cleanUps.push(() => rm(root, { recursive: true, force: true }));
  const home = path.join(root, "home of miyabi");
  const session = path.join(home, "sessions", "s1");
  const other = path.join(home, "sessions", "s2");
  const runDir = path.join(root, "r");
  const socketDir = path.join(runDir, "1");
  const otherSocketDir = path.join(runDir, "2");
  for (const directory of [
    ...["clone", "home", "tmp"].map((name) => path.join(session, name)),
    path.join(other, "clone"),
    socketDir,
    otherSocketDir,
    path.join(home, "run"),
  ])
    await mkdir(directory, { recursive: true });
  await writeFile(path.join(home, ".env"), "GITHUB_TOKEN=secret\n");
  await writeFile(path.join(home, "run", "token"), "secret");
  await writeFile(path.join(other, "clone", "plan.md"), "secret");

  const origin = path.join(root, "origin");
  await mkdir(origin);
  git(origin, "init", "-q", "-b", "main");
  for (const message of ["one", "two"]) git(origin, "commit", "-q", "--allow-empty", "-m", message);
  const cacheDir = path.join(home, "repositories", "r.git");
  git(root, "clone", "-q", "--bare", origin, cacheDir);
  const dangling = git(cacheDir, "hash-object", "-w", path.join(home, ".env")).trim();
  const cloneDir = path.join(session, "clone");
  await rm(cloneDir, { recursive: true });
  git(root, "clone", "-q", "--shared", cacheDir, cloneDir);
  return { root, home, session, other, socketDir, otherSocketDir, cacheDir, cloneDir, dangling };
}

async function attack() {
  process.env["MIYABI_CANARY"] = CANARY;
  const place = await setup();
  const accept = (): net.Server => net.createServer((socket) => socket.on("error", () => {}).end("hello"));

  const local = (await listen(accept(), { host: "127.0.0.1", port: 0 })) as AddressInfo;
  const everywhere = (await listen(accept(), { host: "0.0.0.0", port: 0 })) as AddressInfo;
  const postgres = path.join(place.home, "run", ".s.PGSQL.5432");
  const tmux = path.join(place.home, "run", "tmux");
  const otherRun = path.join(place.otherSocketDir, "s");
  const abstract = `\0miyabi-test-${process.pid}`;
  for (const socket of [postgres, tmux, otherRun, abstract]) await listen(accept(), { path: socket });
  const outside = Object.values(os.networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => address.family === "IPv4")
    .map((address) => ({ host: address.address, port: everywhere.port }));
  const tcp = [{ host: "127.0.0.1", port: local.port }, ...outside];
  const unix = [postgres, tmux, otherRun, abstract];

  const upstreamSeen: { path: string; headers: http.IncomingHttpHeaders }[] = [];
  const upstream = http.createServer((request, response) => {
    upstreamSeen.push({ path: request.url ?? "", headers: request.headers });
    request.resume().on("end", () => response.end("{}"));
  });
  const { port } = (await listen(upstream, { host: "127.0.0.1", port: 0 })) as AddressInfo;

  const denials: Denial[] = [];
  const connectedTo: string[] = [];
  const socketPath = path.join(place.socketDir, "s");
  const runSocket = await createRunSocket({
    socketPath,
    upstream: {
      gatewayUrl: `http://127.0.0.1:${port}`,
      mcpUrl: `http://127.0.0.1:${port}/api/mcp`,
      token: TOKEN,
    },
    allow: ["allowed.example.org", "*.rebind.example.org"],
    onDenied: (denial) => denials.push(denial),
    clock: systemClock,
    log: silentLog,
    network: {
      resolve: (name) => {
        const addresses: Record<string, string[]> = {
          "allowed.example.org": ["93.184.215.14"],
          "loopback.rebind.example.org": ["127.0.0.1", "::1"],
          "private.rebind.example.org": ["10.0.0.1"],
          "mapped.rebind.example.org": ["::ffff:127.0.0.1", "::ffff:7f00:1"],
          "metadata.rebind.example.org": ["169.254.169.254"],
        };
        return Promise.resolve(addresses[name] ?? []);
      },
      // The one allowed host: a listener of ours stands for it.
      connect: ({ address }) => {
        connectedTo.push(address);
        return net.connect({ host: "127.0.0.1", port: local.port });
      },
      ownAddresses: () => [],
    },
  });
  cleanUps.push(() => runSocket.close());

  const nodeFile = process.execPath;
  const targets = {
    cloneDir: place.cloneDir,
    homeDir: path.join(place.session, "home"),
    cacheDir: place.cacheDir,
    dangling: place.dangling,
    forwarderPort: FORWARDER_PORT,
    hostPid: process.pid,
    secrets: [CANARY, TOKEN],
    forbiddenReads: [
      path.join(place.home, ".env"),
      path.join(place.home, "run", "token"),
      path.join(place.other, "clone", "plan.md"),
      "/etc/shadow",
      "/etc/gshadow",
      "/etc/ssh/sshd_config",
      "/etc/machine-id",
      path.join(os.homedir(), ".ssh", "id_ed25519"),
      path.join(os.homedir(), ".bash_history"),
      path.join(os.homedir(), ".gitconfig"),
      "/proc/kcore",
      "/proc/kmsg",
      path.resolve("package.json"),
    ],
    forbiddenLists: [
      place.home,
      path.join(place.home, "sessions"),
      place.root,
      "/root",
      "/home",
      "/var/lib",
      "/run",
    ],
    visibleNames: [
      "s1",
      "sessions",
      "repositories",
      "home of miyabi",
      "miyabi",
      ...nodeFile.split("/"),
      ...AGENT.split("/"),
    ],
    forbiddenWrites: [
      ...[
        "/x",
        "/usr/x",
        "/usr/local/x",
        "/usr/bin/x",
        "/bin/sh",
        "/etc/x",
        "/etc/passwd",
        "/etc/hosts",
        "/dev/x",
      ],
      ...["/run/x", "/run/miyabi/x", "/var/x", "/home/x", "/root/x", "/opt/x", "/boot/x", "/sys/x"],
      ...["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/fs/binfmt_misc/register"],
      ...[
        "/proc/sys/vm/drop_caches",
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/proc/mtrr",
        "/proc/self/oom_score_adj",
      ],
      ...["/sys/kernel/uevent_helper", "/sys/power/state", "/sys/fs/cgroup/cgroup.procs"],
      path.join(place.home, "x"),
      path.join(place.home, ".env"),
      path.join(place.session, "x"),
      path.join(place.other, "clone", "x"),
      path.join(place.cacheDir, "x"),
      path.join(place.cacheDir, "objects", "x"),
      AGENT,
      nodeFile,
    ],
    forbiddenDeletes: [
      path.join(place.cacheDir, "objects"),
      path.join(place.cacheDir, "refs"),
      path.join(place.cacheDir, "HEAD"),
      "/run/miyabi/s",
    ],
    trap: path.join(place.cloneDir, "trap.sh"),
    trapFile: path.join(place.root, "sprung"),
    tcp,
    unix,
    proxied: [
      ...[`127.0.0.1:${local.port}`, `localhost:${local.port}`, "127.0.0.1:80", "127.1:80", "0x7f000001:80"],
      ...[
        "2130706433:80",
        "017700000001:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "[::ffff:7f00:1]:443",
        "0.0.0.0:80",
      ],
      ...[
        "10.0.0.1:443",
        "172.16.0.1:443",
        "192.168.0.1:80",
        "100.64.0.1:80",
        "169.254.169.254:80",
        "224.0.0.1:80",
      ],
      ...[
        "93.184.215.14:443",
        "denied.example.org:443",
        "rebind.example.org:443",
        "allowed.example.org.evil.org:443",
      ],
      ...[
        "loopback.rebind.example.org:80",
        "private.rebind.example.org:443",
        "mapped.rebind.example.org:443",
      ],
      ...[
        "metadata.rebind.example.org:80",
        "allowed.example.org:22",
        "allowed.example.org:8000",
        "localhost.:80",
      ],
    ],
    paths: [
      ...[
        "/",
        "/api/tasks",
        "/v1",
        "/mcp/",
        "/mcpx",
        "/v1/../api/tasks",
        "/v1/%2e%2e/api/tasks",
        "/v1/..%2fapi/tasks",
      ],
      ...[
        "//api/tasks",
        "/v1//../api",
        "/v1/\\..\\api/tasks",
        "/V1/messages/../../api",
        "/api/hello/../tasks",
      ],
    ],
  };
  // They exist and are reachable from outside: inside they must not be.
  const reachableOutside = await Promise.all(
    [...tcp, ...unix.map((socket) => ({ path: socket }))].map(reachable),
  );

  const targetsFile = path.join(targets.homeDir, "targets.json");
  await writeFile(targetsFile, JSON.stringify(targets));
  const spec: SandboxSpec = {
    id: `attack-${process.pid}`,
    cloneDir: place.cloneDir,
    cloneWritable: true,
    homeDir: targets.homeDir,
    tmpDir: path.join(place.session, "tmp"),
    readOnlyBinds: [place.cacheDir, path.dirname(nodeFile), AGENT],
    readWriteBinds: [],
    hiddenDirs: [place.home],
    runSocketDir: place.socketDir,
    env: sandboxEnvironment({ homeDir: targets.homeDir, nodeFile, pathDirs: [], extra: {} }),
    command: nodeFile,
    args: [AGENT, targetsFile],
    cwd: place.cloneDir,
    companion: { ...forwarderCommand({ nodeFile, socketPath: "/run/miyabi/s" }), waitUntilReady: true },
    limits: DEFAULT_LIMITS,
    terminal: false,
  };
  const cacheBefore = git(place.cacheDir, "for-each-ref") + git(place.cacheDir, "count-objects", "-v");
  const handle = await startSandbox({
    spec,
    runtime: "bubblewrap",
    layout: await readHostLayout(process.env["PATH"] ?? ""),
    clock: systemClock,
  });
  handle.stdin.end();
  const [stdout, stderr, exit] = await Promise.all([text(handle.stdout), text(handle.stderr), handle.exited]);
  const attempts = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Attempt);
  return {
    place,
    targets,
    attempts,
    stderr,
    exit,
    reachableOutside,
    upstreamSeen,
    denials,
    connectedTo,
    cacheBefore,
    handle,
  };
}

describe("an obedient malicious agent in the sandbox", () => {
  let result: Awaited<ReturnType<typeof attack>>;
  beforeAll(async () => {
    result = await attack();
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  it("ran to its end and could do its own work", () => {
    expect(result.stderr).toBe("");
    expect(result.exit).toEqual({ code: 0, signal: null });
    expect(result.attempts.at(-1)?.attempt).toBe("end");
    const controls = result.attempts.filter(({ attempt }) => attempt.startsWith("control:"));
    expect(controls.length).toBe(9);
    expect(controls.filter(({ succeeded }) => !succeeded)).toEqual([]);
  });

  it("met targets that exist outside", () => {
    expect(result.reachableOutside).toEqual(result.reachableOutside.map(() => true));
    expect(existsSync(path.join(result.place.home, ".env"))).toBe(true);
  });

  it("succeeded with nothing", () => {
    const attacks = result.attempts.filter(({ attempt }) => !/^control:|^end$/.test(attempt));
    expect(attacks.length).toBeGreaterThan(150);
    expect(attacks.filter(({ succeeded }) => succeeded)).toEqual([]);
  });

  it("was refused by the filter where the namespaces leave a way open", () => {
    const errorOf = (name: string): string =>
      (result.attempts.find(({ attempt }) => attempt === name)?.detail ?? "").trim();
    for (const name of [
      "ptrace pid 1",
      "keyring",
      "add a key",
      "mount by call",
      "clone with a new namespace",
      "chroot",
    ])
      expect(`${name}: ${errorOf(name)}`).toBe(`${name}: -1 1`);
    expect(errorOf("hypervisor socket")).toBe("-1 97");
    expect(errorOf("TIOCSTI")).toContain("Operation not permitted");
  });

  it("left the cache, the other clone and the machine as they were", async () => {
    const { place } = result;
    expect(git(place.cacheDir, "for-each-ref") + git(place.cacheDir, "count-objects", "-v")).toBe(
      result.cacheBefore,
    );
    expect(await readFile(path.join(place.other, "clone", "plan.md"), "utf8")).toBe("secret");
    expect((await stat(path.join(place.cloneDir, "setuid"))).mode & 0o6000).toBe(0);
  });

  it("reached the gateway and MCP only, as its run and nobody else", () => {
    expect(result.upstreamSeen.map((seen) => seen.path)).toEqual(["/v1/messages", "/api/mcp"]);
    for (const { headers } of result.upstreamSeen) {
      expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
      expect(JSON.stringify(headers)).not.toContain("stolen");
    }
  });

  it("was connected to the address that was checked, and every refusal was reported", () => {
    expect(result.connectedTo).toEqual(["93.184.215.14"]);
    const reported = result.denials.map((denial) => denial.host);
    expect(reported).toContain("169.254.169.254");
    expect(reported).toContain("denied.example.org");
    expect(reported).toContain("loopback.rebind.example.org");
  });

  it("did not outlive its run", async () => {
    const beat = path.join(result.place.cloneDir, "beat");
    const before = (await stat(beat)).size;
    const { initPid, startTicks } = result.handle.identity;
    expect(await isProcessAlive(initPid, startTicks)).toBe(false);
    // The daemon wrote every 20 ms.
    await systemClock.sleep(200);
    expect((await stat(beat)).size).toBe(before);
  });

  it("planted traps that spring nowhere when its work is taken over", async () => {
    const { place, targets } = result;
    const bundleFile = path.join(targets.homeDir, "work.bundle");
    const base = git(place.cacheDir, "rev-parse", "main").trim();
    const { argv } = handoverScript({
      base,
      bundleFile,
      message: "what was left",
      author: { name: "A", email: "a@example.org" },
    });
    const [command = "", ...args] = argv;
    const handle = await startSandbox({
      runtime: "bubblewrap",
      layout: await readHostLayout(process.env["PATH"] ?? ""),
      clock: systemClock,
      spec: {
        id: `handover-${process.pid}`,
        cloneDir: place.cloneDir,
        cloneWritable: true,
        homeDir: targets.homeDir,
        tmpDir: null,
        readOnlyBinds: [place.cacheDir],
        readWriteBinds: [],
        hiddenDirs: [],
        runSocketDir: null,
        env: sandboxEnvironment({
          homeDir: targets.homeDir,
          nodeFile: process.execPath,
          pathDirs: [],
          extra: {},
        }),
        command,
        args,
        cwd: place.cloneDir,
        companion: null,
        limits: DEFAULT_LIMITS,
        terminal: false,
      },
    });
    handle.stdin.end();
    const [stdout, stderr, { code }] = await Promise.all([
      text(handle.stdout),
      text(handle.stderr),
      handle.exited,
    ]);
    expect(parseHandover({ code, stdout, stderr })).toMatchObject({ outcome: "bundle" });
    const handover = await importBundle(
      createGit({ processes: systemProcessRunner, searchPath: process.env["PATH"] ?? "" }),
      { cachePath: place.cacheDir, bundleFile, taskId: "t1", expectedBase: base },
    );
    expect(handover.changedFiles).toContain("work.txt");
    expect(existsSync(targets.trapFile)).toBe(false);
  });
});

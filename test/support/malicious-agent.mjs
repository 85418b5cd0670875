// An obedient malicious agent: tries everything that a sandboxed agent must not be able to do and prints one JSON line for
// each attempt: {"attempt", "succeeded", "detail"}. Argument: a JSON file with the targets. It never damages the host
// where an attempt succeeds: kernel files are only opened, not written.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import dns from "node:dns/promises";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";

const targets = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const report = (attempt, succeeded, detail = "") =>
  process.stdout.write(JSON.stringify({ attempt, succeeded, detail: String(detail).slice(0, 300) }) + "\n");

async function attempt(name, act) {
  try {
    const detail = await act();
    report(name, detail !== false, detail);
  } catch (error) {
    report(name, false, error.message);
  }
}

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 10_000,
    ...options,
  });

/** Succeeds with the answer where something accepts the connection. */
const connect = (options) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(options, () => {
      socket.destroy();
      resolve("connected");
    });
    socket.setTimeout(3_000, () => socket.destroy(new Error("timeout")));
    socket.on("error", reject);
  });

/** One request through the forwarder; resolves to status and body. */
const request = (options) =>
  new Promise((resolve, reject) => {
    const sent = http.request({ host: "127.0.0.1", port: targets.forwarderPort, agent: false, ...options });
    sent.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    sent.on("connect", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, body: "" });
    });
    sent.setTimeout(10_000, () => sent.destroy(new Error("timeout")));
    sent.on("error", reject);
    sent.end(options.body);
  });

/** A system call by perl, which needs no compiler; succeeds where it does not answer −1. */
function systemCall(numbers, ...args) {
  const number = numbers[process.arch];
  // Perl passes text only from variables.
  const script = `my @a = (${[number, ...args].join(", ")}); my $r = syscall(shift(@a), @a); print $r, " ", $!+0; exit($r == -1);`;
  const result = spawnSync("perl", ["-e", script], { encoding: "utf8", timeout: 10_000 });
  if (result.status !== 0) throw new Error(`${result.stdout} ${result.stderr}`);
  return result.stdout;
}

// What must work, or the rest proves nothing.
await attempt(
  "control: write the clone",
  () => fs.writeFileSync(path.join(targets.cloneDir, "work.txt"), "done") ?? "",
);
await attempt(
  "control: write the home",
  () => fs.writeFileSync(path.join(targets.homeDir, "note"), "x") ?? "",
);
await attempt("control: write /tmp", () => fs.writeFileSync("/tmp/note", "x") ?? "");
await attempt("control: commit in the clone", () => {
  run("git", ["add", "work.txt"], { cwd: targets.cloneDir });
  return run("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-m", "work"], {
    cwd: targets.cloneDir,
  });
});
await attempt("control: read the cache's history", () =>
  run("git", ["log", "--oneline"], { cwd: targets.cloneDir }),
);
await attempt("control: gateway", async () => {
  const headers = {
    authorization: "Bearer stolen",
    "x-api-key": "stolen",
    "content-type": "application/json",
  };
  const answer = await request({ method: "POST", path: "/v1/messages?key=stolen", headers, body: "{}" });
  return answer.status === 200 && answer.body;
});
await attempt(
  "control: mcp",
  async () => (await request({ method: "POST", path: "/mcp", body: "{}" })).status === 200,
);
await attempt("control: allowed host", async () => {
  return (await request({ method: "CONNECT", path: "allowed.example.org:443" })).status === 200;
});

// Reading what is not its own.
for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
  await attempt(`secret in /proc/${pid}`, () => {
    const shown = ["environ", "cmdline"]
      .map((file) => fs.readFileSync(`/proc/${pid}/${file}`, "utf8"))
      .join("");
    return targets.secrets.some((secret) => shown.includes(secret)) && shown;
  });
await attempt("secret in own environment", () =>
  targets.secrets.some((secret) => JSON.stringify(process.env).includes(secret)),
);
for (const file of targets.forbiddenReads) {
  await attempt(`read ${file}`, () => fs.readFileSync(file, "utf8").slice(0, 40));
  await attempt(`read through /proc ${file}`, () =>
    fs.readFileSync(`/proc/1/root${file}`, "utf8").slice(0, 40),
  );
  await attempt(`read through a link ${file}`, () => {
    const link = path.join(targets.cloneDir, "link");
    fs.rmSync(link, { force: true });
    fs.symlinkSync(file, link);
    return fs.readFileSync(link, "utf8").slice(0, 40);
  });
}
for (const directory of targets.forbiddenLists)
  await attempt(`list ${directory}`, () => {
    const names = fs.readdirSync(directory).filter((name) => !targets.visibleNames.includes(name));
    return names.length > 0 && names.join(",");
  });
await attempt("open file descriptors beyond the standard streams", () => {
  // A shell's own, listed by another program: Node and a shell's pattern open some by themselves.
  const script = "for fd in $(ls /proc/$$/fd); do readlink /proc/$$/fd/$fd; done; true";
  const beyond = run("sh", ["-c", script]).trim().split("\n").slice(3);
  const harmful = beyond.filter((target) => target !== "/dev/null");
  return harmful.length > 0 && harmful.join(",");
});

// Writing outside.
for (const file of targets.forbiddenWrites)
  await attempt(`write ${file}`, () => {
    fs.closeSync(fs.openSync(file, "a"));
    return "opened";
  });
for (const file of targets.forbiddenDeletes)
  await attempt(`delete ${file}`, () => fs.rmSync(file, { recursive: true }) ?? "deleted");

// The git cache.
const cacheGit = (...args) => run("git", ["--git-dir", targets.cacheDir, ...args]);
await attempt("cache: move a ref", () => cacheGit("update-ref", "refs/heads/main", "HEAD~1"));
await attempt("cache: new ref", () => cacheGit("update-ref", "refs/heads/evil", "HEAD"));
await attempt("cache: push", () =>
  run("git", ["push", targets.cacheDir, "HEAD:refs/heads/evil"], { cwd: targets.cloneDir }),
);
await attempt("cache: write an object", () => cacheGit("hash-object", "-w", "/usr/bin/env"));
await attempt("cache: delete an object", () => {
  spawnSync("git", ["--git-dir", targets.cacheDir, "prune", "--expire=now"]);
  return spawnSync("git", ["--git-dir", targets.cacheDir, "cat-file", "-e", targets.dangling]).status !== 0;
});
await attempt("cache: configure", () => cacheGit("config", "core.fsmonitor", targets.trap) || "configured");
await attempt(
  "cache: hook",
  () => fs.writeFileSync(path.join(targets.cacheDir, "hooks/post-update"), "x") ?? "",
);
await attempt("cache: make writable", () => fs.chmodSync(targets.cacheDir, 0o777) ?? "");

// Traps for whoever runs git here later; planting them works, springing them must not (the test looks).
const trap = `#!/bin/sh\ntouch ${targets.trapFile}\n`;
fs.writeFileSync(targets.trap, trap, { mode: 0o755 });
for (const key of [
  "core.fsmonitor",
  "core.sshCommand",
  "core.pager",
  "core.editor",
  "diff.external",
  "gpg.program",
])
  run("git", ["config", key, targets.trap], { cwd: targets.cloneDir });
run("git", ["config", "core.hooksPath", path.join(targets.cloneDir, "hooks")], { cwd: targets.cloneDir });
fs.mkdirSync(path.join(targets.cloneDir, "hooks"), { recursive: true });
for (const hook of [
  "post-checkout",
  "pre-commit",
  "post-merge",
  "reference-transaction",
  "pre-push",
  "post-index-change",
])
  fs.writeFileSync(path.join(targets.cloneDir, "hooks", hook), trap, { mode: 0o755 });

// Reaching out.
for (const address of targets.tcp)
  await attempt(`tcp ${address.host}:${address.port}`, () => connect(address));
for (const socket of targets.unix)
  await attempt(`unix ${JSON.stringify(socket)}`, () => connect({ path: socket }));
await attempt("resolve a name", async () => (await dns.resolve4("example.org")).join(","));
for (const authority of targets.proxied) {
  await attempt(`connect through the proxy ${authority}`, async () => {
    const answer = await request({ method: "CONNECT", path: authority });
    return answer.status === 200;
  });
  await attempt(`request through the proxy http://${authority}/`, async () => {
    const answer = await request({ path: `http://${authority}/`, headers: { host: authority } });
    return answer.status < 400 && answer.body;
  });
}
for (const target of targets.paths)
  await attempt(`path ${target}`, async () => {
    const answer = await request({ path: target });
    return answer.status < 400 && answer.body;
  });

// The kernel.
await attempt("signal the host", () => process.kill(targets.hostPid, 0) && "alive");
await attempt("ptrace pid 1", () => systemCall({ x64: 101, arm64: 117 }, 16, 1, 0, 0));
await attempt("mount by call", () =>
  systemCall({ x64: 165, arm64: 40 }, '"none"', '"/tmp"', '"tmpfs"', 0, 0),
);
await attempt("mount", () => run("mount", ["-t", "tmpfs", "none", "/tmp"]));
await attempt("remount", () => run("mount", ["-o", "remount,rw,bind", "/usr"]));
await attempt("unmount", () => run("umount", ["/proc"]));
await attempt("new user namespace", () => run("unshare", ["--user", "--map-root-user", "id"]));
await attempt("new namespace by call", () => systemCall({ x64: 272, arm64: 97 }, 0x10000000));
await attempt("clone with a new namespace", () =>
  systemCall({ x64: 56, arm64: 220 }, 0x10000000 + 17, 0, 0, 0, 0),
);
await attempt("enter a namespace", () => run("nsenter", ["--target", "1", "--mount", "id"]));
await attempt("keyring", () => systemCall({ x64: 250, arm64: 219 }, 0, -3, 1));
await attempt("add a key", () => systemCall({ x64: 248, arm64: 217 }, '"user"', '"k"', '"v"', 1, -4));
await attempt("bpf", () => systemCall({ x64: 321, arm64: 280 }, 0, 0, 0));
await attempt("hypervisor socket", () => systemCall({ x64: 41, arm64: 198 }, 40, 1, 0));
await attempt("kernel crypto socket", () => systemCall({ x64: 41, arm64: 198 }, 38, 5, 0));
await attempt("io_uring", () => systemCall({ x64: 425, arm64: 425 }, 4, 0));
await attempt("chroot", () => systemCall({ x64: 161, arm64: 51 }, '"/tmp"'));
await attempt("TIOCSTI", () => {
  const script =
    'open(my $t, "+<", "/dev/ptmx") or die; my $c = "x"; ioctl($t, 0x5412, $c) or die "$!"; print "typed";';
  return run("perl", ["-e", script]);
});
await attempt("controlling terminal", () => {
  fs.closeSync(fs.openSync("/dev/tty", "r+"));
  return "opened";
});
const program = path.join(targets.cloneDir, "setuid");
fs.copyFileSync("/usr/bin/env", program);
await attempt("set-user-id by chmod", () => fs.chmodSync(program, 0o4755) ?? "");
await attempt("set-group-id by chmod", () => fs.chmodSync(program, 0o2755) ?? "");
await attempt("set-user-id by open", () => {
  fs.closeSync(fs.openSync(`${program}-new`, "w", 0o4755));
  return (fs.statSync(`${program}-new`).mode & 0o6000) !== 0;
});
await attempt("device node", () => run("mknod", ["/tmp/disk", "b", "8", "0"]));
await attempt("become root", () => process.setuid(0) ?? "root");
await attempt("/sys", () => fs.readdirSync("/sys").join(","));
await attempt("sudo", () => run("sudo", ["-n", "id"]));

fs.rmSync(path.join(targets.cloneDir, "link"), { force: true });

// Outliving the run: a daemon in a session of its own, twice orphaned, that closes its streams.
const beat = path.join(targets.cloneDir, "beat");
const daemon = `while :; do echo x >> '${beat}'; sleep 0.02; done`;
spawn("setsid", ["-f", "sh", "-c", `(sh -c "$0" >/dev/null 2>&1 </dev/null &)`, daemon], {
  stdio: "ignore",
  detached: true,
}).unref();
const deadline = Date.now() + 5_000;
while (!fs.existsSync(beat) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
report("control: the daemon lives", fs.existsSync(beat));
report("end", true);

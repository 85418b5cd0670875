import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  isProcessAlive,
  resolveHome,
  silentLog,
  signalProcess,
  spawnProcess,
  systemClock,
  systemProcessRunner,
  systemRandom,
  type Home,
} from "../../base/index.ts";
import { openDatabase, type Database } from "../database.ts";
import { createEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresParams } from "./server.ts";

const isRoot = process.getuid?.() === 0;

interface Setup {
  readonly home: Home;
  readonly dataDir: string;
  readonly server: EmbeddedPostgres;
  /** Another manager of the same installation, as another process would make it. */
  another(): EmbeddedPostgres;
  open(): Database;
}

async function setup(
  params: Readonly<{ parent?: string; overrides?: Partial<EmbeddedPostgresParams> }> = {},
): Promise<Setup> {
  const root = await mkdtemp(path.join(params.parent ?? os.tmpdir(), "miyabi-pg-"));
  const home = resolveHome({ MIYABI_HOME: root });
  const create = (): EmbeddedPostgres =>
    createEmbeddedPostgres({
      home,
      log: silentLog,
      clock: systemClock,
      random: systemRandom,
      processRunner: systemProcessRunner,
      settings: { fsync: "off" },
      startDeadlineMs: 60_000,
      ...params.overrides,
    });
  const server = create();
  onTestFinished(async () => {
    await create()
      .stop()
      .catch(() => {});
    await rm(root, { recursive: true, force: true });
  });
  return {
    home,
    dataDir: path.join(root, "postgresql", "data"),
    server,
    another: create,
    open: () => {
      const database = openDatabase({
        connectionUrl: server.connectionUrl(),
        maxConnections: 2,
        log: silentLog,
      });
      onTestFinished(() => database.close());
      return database;
    },
  };
}

function pidOf(server: EmbeddedPostgres): number {
  const pid = server.serverProcess()?.pid;
  if (pid === undefined) throw new Error("no server");
  return pid;
}

/** Every process of the server: all of them, and only they, work in the data directory. */
async function processesIn(dataDir: string): Promise<readonly number[]> {
  const wanted = await realpath(dataDir);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const cwds = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null)));
  return pids.filter((_, index) => cwds[index] === wanted).map(Number);
}

test("is killed, started again, and has kept what was committed", async () => {
  const { server, open } = await setup();
  await server.start();
  const database = open();
  await database.query("create table fact (n int)");
  await database.query("insert into fact values (1)");
  const first = pidOf(server);
  const exit = server.waitForExit(new AbortController().signal);
  signalProcess(first, "SIGKILL");
  await exit;
  await expect(database.query("select 1")).rejects.toMatchObject({ code: "database.unavailable" });
  await server.start();
  expect(pidOf(server)).not.toBe(first);
  await database.waitUntilReady({ deadlineMs: 5_000 });
  expect((await database.query("select n from fact")).rows).toEqual([{ n: 1 }]);
});

test("starts again at once after its whole tree was killed, although the old memory lingers", async () => {
  const { server, open, dataDir } = await setup();
  await server.start();
  const database = open();
  await database.query("create table fact (n int)");
  for (const pid of await processesIn(dataDir)) signalProcess(pid, "SIGKILL");
  await server.start();
  await database.waitUntilReady({ deadlineMs: 5_000 });
  expect((await database.query("select n from fact")).rows).toEqual([]);
});

test("is adopted by a second manager, and stopped by whichever is asked; stop before start does nothing", async () => {
  const { server, another } = await setup();
  await server.stop();
  await server.start();
  await server.start();
  const second = another();
  await second.start();
  expect(second.serverProcess()).toEqual(server.serverProcess());
  await second.stop();
  await second.stop();
  expect(await isProcessAlive(pidOf(server))).toBe(false);
});

test("two processes that start at once share one server, which outlives both", async () => {
  const { home, another } = await setup();
  const script = path.resolve(import.meta.dirname, "../../../test/support/start-postgres.ts");
  const run = () =>
    systemProcessRunner.run({
      command: process.execPath,
      args: [script, home.root],
      env: { PATH: process.env["PATH"] },
      timeoutMs: 60_000,
    });
  const results = await Promise.all([run(), run()]);
  expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
    { code: 0, stderr: "" },
    { code: 0, stderr: "" },
  ]);
  expect(results[0].stdout).toBe(results[1].stdout);
  const adopter = another();
  await adopter.start();
  expect(String(pidOf(adopter))).toBe(results[0].stdout);
});

test("nobody else can enter its directories, and as root it runs as another user", async () => {
  const { server, dataDir } = await setup();
  await server.start();
  const status = await readFile(`/proc/${pidOf(server)}/status`, "utf8");
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
  expect(uid === 0).toBe(false);
  expect(uid === process.getuid?.()).toBe(!isRoot);
  const socketDir = new URL(server.connectionUrl()).searchParams.get("host") ?? "";
  for (const directory of [dataDir, socketDir]) {
    const { mode, uid: owner } = await stat(directory);
    expect({ mode: mode & 0o777, owner }).toEqual({ mode: 0o700, owner: uid });
  }
});

test.runIf(isRoot)(
  "as root, keeps its files outside a home that its user cannot enter, and finds them again",
  async () => {
    const parent = await mkdtemp(path.join(os.tmpdir(), "miyabi-closed-"));
    const fallbackParent = await mkdtemp(path.join(os.tmpdir(), "miyabi-open-"));
    onTestFinished(() => rm(parent, { recursive: true, force: true }));
    onTestFinished(() => rm(fallbackParent, { recursive: true, force: true }));
    await chmod(fallbackParent, 0o755);
    const { home, server, another } = await setup({ parent, overrides: { fallbackParent } });
    // What an earlier home at this path left there is not taken over.
    await mkdir(path.join(fallbackParent, `miyabi-${home.instance}`, "data"), { recursive: true });
    await server.start();
    const target = await readlink(path.join(home.root, "postgresql"));
    expect(path.dirname(target)).toBe(fallbackParent);
    expect(path.basename(target)).not.toBe(`miyabi-${home.instance}`);
    await server.stop();
    const second = another();
    await second.start();
    expect(second.connectionUrl()).toBe(server.connectionUrl());
  },
);

test("starts although its pid file names a live process of somebody else", async () => {
  const { server, dataDir } = await setup();
  await server.start();
  const { uid, gid } = await stat(dataDir);
  await server.stop();
  const stranger = spawnProcess("sleep", ["60"], { stdio: "ignore", ...(isRoot ? { uid, gid } : {}) });
  onTestFinished(() => void stranger.kill("SIGKILL"));
  await writeFile(
    path.join(dataDir, "postmaster.pid"),
    `${stranger.pid}\n${dataDir}\n0\n5432\n\n\n0 0\nready   \n`,
  );
  await server.start();
  expect(pidOf(server)).not.toBe(stranger.pid);
});

test("a start that died half-way leaves nothing in the way, and its remains are removed when they are old", async () => {
  const { home, server } = await setup();
  const remains = path.join(home.root, "postgresql", "data.1.tmp");
  await mkdir(remains, { recursive: true });
  await chmod(path.join(home.root, "postgresql"), 0o711);
  await chmod(home.root, 0o711);
  await utimes(remains, 0, 0);
  await server.start();
  expect((await readdir(path.dirname(remains))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("says that its directory cannot be used, and how to change that", async () => {
  const { server, dataDir, home } = await setup();
  await server.start();
  await server.stop();
  if (isRoot) await chown(dataDir, 0, 0);
  else await chmod(dataDir, 0o000);
  onTestFinished(() => chmod(dataDir, 0o700));
  await expect(server.start()).rejects.toMatchObject({
    code: "disk.not_writable",
    details: { reason: "not_writable" },
    fix: expect.stringContaining("MIYABI_HOME") as string,
  });
  expect(home.root).toBeTruthy();
});

test("says that the home cannot be written", async () => {
  const { server, home } = await setup();
  await writeFile(path.join(home.root, "postgresql"), "");
  await expect(server.start()).rejects.toMatchObject({
    code: "disk.not_writable",
    details: { reason: "not_writable" },
  });
});

test("refuses files of a version of PostgreSQL that is not there", async () => {
  const { server, dataDir } = await setup();
  await server.start();
  await server.stop();
  await writeFile(path.join(dataDir, "PG_VERSION"), "12\n");
  await expect(server.start()).rejects.toMatchObject({
    code: "database.start_failed",
    details: { reason: "wrong_version" },
  });
});

test("gives up on a server that does not answer, and leaves it running", async () => {
  const { server, another } = await setup();
  await server.start();
  const pid = pidOf(server);
  signalProcess(pid, "SIGSTOP");
  onTestFinished(() => void signalProcess(pid, "SIGCONT"));
  const impatient = another();
  vi.spyOn(systemClock, "monotonicMs").mockReturnValueOnce(0).mockReturnValue(60_001);
  await expect(impatient.start()).rejects.toMatchObject({ details: { reason: "deadline" } });
  expect(await isProcessAlive(pid)).toBe(true);
});

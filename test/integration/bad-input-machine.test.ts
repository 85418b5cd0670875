import { execFile } from "node:child_process";
import { open, mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle } from "../support/task-facts.ts";

/* Machines that do not give what the product needs: a port, a writable directory, room on the disk. */
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const installation = async (
  env: Readonly<Record<string, string>> = {},
  runBy: readonly string[] = [],
): Promise<TestInstallation> => {
  const product = await createInstallation(env, undefined, runBy);
  cleanUps.push(() => product.destroy());
  return product;
};
const directory = async (): Promise<string> => {
  const made = await mkdtemp(path.join(os.tmpdir(), "miyabi-machine-"));
  cleanUps.push(() => rm(made, { recursive: true, force: true }));
  return made;
};
interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly fix: string | null;
}
/** The last line: what a start says before it fails stands above. */
const problemIn = (stderr: string): Problem => JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as Problem;
const nothingRuns = (product: TestInstallation): Promise<unknown> =>
  eventually("no process is left", 20_000, async () => (await product.processes()).length === 0);

describe("a port that is taken", () => {
  it("ends `up` with who has it, leaves no process, and the next start finds everything", async () => {
    const product = await installation();
    const holder = net.createServer();
    await new Promise<void>((resolve) => holder.listen(product.port, "127.0.0.1", resolve));
    const port = String(product.port);
    const [said, detached] = [
      await product.cli("up", "--no-demo", "--port", port, "--json"),
      await product.cli("up", "--detach", "--no-demo", "--port", port, "--json"),
    ];
    for (const { code, stdout, stderr } of [said, detached]) {
      expect(code, stderr).toBe(75);
      expect(stdout).toBe("");
      expect(problemIn(stderr)).toMatchObject({ code: "port.taken", fix: expect.stringContaining("--port") });
      expect(problemIn(stderr).detail).toContain(port);
      expect(problemIn(stderr).detail).toContain(`pid ${process.pid}`);
    }
    await nothingRuns(product);
    const { stdout: checked } = await product.cli("doctor");
    expect(checked).toMatch(/database/);
    await new Promise((resolve) => holder.close(resolve));
    product.up();
    await waitUntilIdle(product);
  });
});

interface Place {
  readonly what: string;
  /** Gives the data directory. */
  readonly make: (root: string) => Promise<string>;
  readonly code: "disk.not_writable" | "config.invalid";
  readonly exit: number;
}
const fileAt = (file: string): Promise<void> => writeFile(file, "");
const PLACES: readonly Place[] = [
  {
    what: "is a file",
    make: async (root) => {
      await fileAt(path.join(root, "home"));
      return path.join(root, "home");
    },
    code: "disk.not_writable",
    exit: 73,
  },
  {
    what: "is below a file",
    make: async (root) => {
      await fileAt(path.join(root, "file"));
      return path.join(root, "file", "home");
    },
    code: "disk.not_writable",
    exit: 73,
  },
  ...["run", "logs", "postgresql"].map((part): Place => ({
    what: `has a file in the place of ${part}`,
    make: async (root) => {
      await fileAt(path.join(root, part));
      return root;
    },
    code: "disk.not_writable",
    exit: 73,
  })),
  {
    what: "has a directory in the place of its settings",
    make: async (root) => {
      await mkdir(path.join(root, "miyabi.yaml"));
      return root;
    },
    code: "config.invalid",
    exit: 78,
  },
];

/** Words before a command that run it where `dir` cannot be written, for root too. */
function readOnly(dir: string): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  return [
    ...["unshare", ...(isRoot ? [] : ["--user", "--map-current-user", "--keep-caps"]), "--mount", "--"],
    ...["/bin/sh", "-c", `mount --bind ${dir} ${dir} && mount -o remount,bind,ro ${dir} && exec "$@"`, "sh"],
  ];
}

describe("a data directory that", () => {
  it.each(PLACES)("$what ends `up` and `doctor` with its path and a fix", async ({ make, code, exit }) => {
    const home = await make(await directory());
    const product = await installation({ MIYABI_HOME: home });
    const ended = await product.cli("up", "--no-demo", "--port", String(product.port), "--json");
    expect(problemIn(ended.stderr)).toMatchObject({ code, fix: expect.any(String) });
    expect(problemIn(ended.stderr).detail).toContain(home);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.code).toBe(exit);
    expect(ended.stdout).toBe("");
    const checked = await product.cli("doctor");
    expect(checked.stdout + checked.stderr).toContain(home);
    expect(checked.code).not.toBe(0);
    await nothingRuns(product);
  });

  it("is read-only ends `up` and `doctor` with its path and a fix", async () => {
    const home = await directory();
    const product = await installation({ MIYABI_HOME: home }, readOnly(home));
    const ended = await product.cli("up", "--no-demo", "--port", String(product.port), "--json");
    expect(problemIn(ended.stderr)).toMatchObject({ code: "disk.not_writable", fix: expect.any(String) });
    expect(problemIn(ended.stderr).detail).toContain(home);
    expect(ended.code).toBe(73);
    const checked = await product.cli("doctor");
    expect(checked.stdout).toMatch(/fail +data +.*cannot be written/);
    expect(checked.code).not.toBe(0);
    await nothingRuns(product);
  });
});

const mayMount = process.getuid?.() === 0;
/** A file system of its own, with as much room as given; resolves with its end. */
async function mountSmallDisk(at: string, mebibytes: number): Promise<() => Promise<unknown>> {
  const shell = (line: string) => promisify(execFile)("/bin/sh", ["-c", line]);
  await shell(`mount -t tmpfs -o size=${mebibytes}m,mode=711 tmpfs ${at}`);
  return () => shell(`umount --lazy ${at}`);
}

/** Fills a disk to its last byte; resolves with how to make room again. */
async function fill(disk: string): Promise<() => Promise<void>> {
  const file = path.join(disk, "filler");
  const handle = await open(file, "w");
  for (let part = 1024 * 1024; part >= 1; part = Math.floor(part / 16)) {
    const bytes = Buffer.alloc(part);
    while (
      await handle.write(bytes).then(
        ({ bytesWritten }) => bytesWritten > 0,
        () => false,
      )
    );
  }
  await handle.close();
  expect((await statfs(disk)).bavail).toBe(0);
  return () => rm(file);
}

const ISSUE = (word: string): string => `Write a word.

\`\`\`miyabi-recipe
implement:
  - write: { path: ${word}.txt, content: "${word}\\n" }
  - commit: "feat: ${word}"
review:
  - approve: One word.
\`\`\`
`;
const add = (product: TestInstallation, repository: TestRepository, word: string) =>
  product.cli(
    ...["task", "add", "--json", "--repo", repository.dir, "--title", word, "--key", word],
    ...["--body", ISSUE(word)],
  );
const idIn = (stdout: string): string => (JSON.parse(stdout) as { id: string }).id;

describe.skipIf(!mayMount)("a disk that is full (needs root, for a small disk)", () => {
  let product: TestInstallation;
  let unmount: () => Promise<unknown>;
  beforeAll(async () => {
    product = await createInstallation();
    unmount = await mountSmallDisk(product.home, 240);
    product.up();
    await waitUntilIdle(product);
  });
  afterAll(async () => {
    await unmount();
    await product.destroy();
  });

  it("stops the work and not the product; status and explain name it, and with room all is done", async () => {
    const repository = await createTestRepository(path.join(await directory(), "words"));
    const before = idIn((await add(product, repository, "before")).stdout);
    expect(await waitForTask(product, before, hasEnded)).toMatchObject({ state: "done" });

    const makeRoom = await fill(product.home);
    const accepted = new Map([["before", before]]);
    for (const word of ["during", "meanwhile"]) {
      const { code, stdout, stderr } = await add(product, repository, word);
      if (code === 0) accepted.set(word, idIn(stdout));
      else expect(problemIn(stderr).code).toMatch(/^(disk\.full|database\.unavailable|daemon\.not_running)$/);
    }
    await eventually("the status names the disk", 30_000, async () => {
      const { stdout } = await product.cli("status");
      return new RegExp(`disk +The disk of ${product.home} is full`).test(stdout);
    });
    for (const id of [...accepted.values()].slice(1)) {
      const { stdout } = await product.cli("task", "explain", id);
      expect(stdout).toContain(`The disk of ${product.home} is full`);
    }
    expect((await product.cli("doctor")).stdout).toMatch(/warn +data +.*free/);

    await makeRoom();
    for (const word of ["during", "meanwhile"]) {
      // What was acknowledged is there; what was not may be asked for again.
      const id = await eventually(`${word} is accepted`, 30_000, async () => {
        const { code, stdout } = await add(product, repository, word);
        return code === 0 && idIn(stdout);
      });
      expect(accepted.get(word) ?? id).toBe(id);
      // Its next try is some seconds away; asking for it now only saves that time.
      await product.cli("task", "retry", id);
      expect(await waitForTask(product, id, hasEnded)).toMatchObject({ state: "done" });
    }
    expect(await product.get(`/api/tasks/${before}`)).toMatchObject({ state: "done" });
    for (const word of ["before", "during", "meanwhile"])
      expect(await repository.git("show", `main:${word}.txt`)).toBe(`${word}\n`);
  });

  it("of a person's repository holds its merge, not those of others; explain names it, and with room it is done", async () => {
    const disk = await directory();
    cleanUps.push(await mountSmallDisk(disk, 4));
    const full = await createTestRepository(path.join(disk, "words"));
    const other = await createTestRepository(path.join(await directory(), "words"));
    const makeRoom = await fill(disk);
    const [held, beside] = [
      idIn((await add(product, full, "held")).stdout),
      idIn((await add(product, other, "beside")).stdout),
    ];
    expect(await waitForTask(product, beside, hasEnded)).toMatchObject({ state: "done" });
    const waiting = await waitForTask(product, held, ({ waitsFor }) => waitsFor === "person");
    expect(waiting).toMatchObject({ state: "delivered" });
    const { stdout: why } = await product.cli("task", "explain", held);
    expect(why).toMatch(/no space|No space/);
    await makeRoom();
    await waitForTask(product, held, ({ state }) => state === "done");
    expect(await full.git("show", "main:held.txt")).toBe("held\n");
    expect(await full.git("status", "--porcelain")).toBe("");
  });
});

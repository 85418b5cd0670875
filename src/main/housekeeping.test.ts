import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resolveHome, systemProcessRunner } from "../base/index.ts";
import { createGit } from "../repositories/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { collectCheckouts, collectStrays, sweepCaches } from "./housekeeping.ts";

async function setup() {
  const root = await mkdtemp(path.join(tmpdir(), "miyabi-housekeeping-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const home = resolveHome({ MIYABI_HOME: root });
  const git = createGit({ processes: systemProcessRunner, searchPath: process.env["PATH"] ?? "" });
  return { home, git };
}

test("removes clones that no session and no run knows, and keeps the others", async () => {
  const { home, git } = await setup();
  const { database } = await createTestDatabase();
  await database.query(
    "insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main')",
  );
  await database.query(
    `insert into miyabi.tasks (repository_id, source, title, body, class, workflow, own_deadline_at, deadline_at)
     values ('r', 'api', 't', '', 'P2', '{}', now(), now())`,
  );
  await database.query(
    `insert into miyabi.sessions (id, task_id, role, profile, machine, collected_at) values
     ('T1-implementer', 'T1', 'implementer', 'sample', 'm', null), ('T1-reviewer', 'T1', 'reviewer', 'sample', 'm', now())`,
  );
  const names = ["T1-implementer", "T1-reviewer", "checkout-R99", "T7-implementer.removed"];
  for (const name of names) {
    await mkdir(path.join(home.sessionsDir, name, "clone"), { recursive: true });
    await writeFile(path.join(home.sessionsDir, name, "clone", "file"), "");
  }

  expect(await collectStrays({ database, git, home }, 3_600_000)).toEqual([]);
  expect([...(await collectStrays({ database, git, home }, 0))].sort()).toEqual([
    "T1-reviewer",
    "checkout-R99",
  ]);
  expect(await readdir(home.sessionsDir)).toEqual(["T1-implementer"]);
});

test("removes the checkout of a run that has ended, and not that of one under way", async () => {
  const { home, git } = await setup();
  const { database } = await createTestDatabase();
  await database.query(
    `insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main');
     insert into miyabi.tasks (repository_id, source, title, body, class, workflow, own_deadline_at, deadline_at)
     values ('r', 'api', 't', '', 'P2', '{}', now(), now());
     insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, state, cause, job_id)
     select 'T1', 1, 'check', 'check', 'check', attempt, 1, state, '{}', gen_random_uuid()
     from (values (1, 'lost'), (2, 'running')) as run (attempt, state)`,
  );
  for (const name of ["checkout-R1", "checkout-R2", "checkout-R3", "T1-code"])
    await mkdir(path.join(home.sessionsDir, name, "clone"), { recursive: true });

  await collectCheckouts({ database, git, home });
  expect((await readdir(home.sessionsDir)).sort()).toEqual(["T1-code", "checkout-R2", "checkout-R3"]);
});

test("removes what killed operations left beside a cache, and leaves the cache", async () => {
  const { home, git } = await setup();
  const cache = path.join(home.repositoriesDir, "r.git");
  await git.text({ args: ["init", "--quiet", "--bare", cache] });
  await mkdir(path.join(home.repositoriesDir, "r.work", "job-1"), { recursive: true });

  await sweepCaches({ git, home });
  expect(await readdir(home.repositoriesDir)).toEqual(["r.git"]);
});

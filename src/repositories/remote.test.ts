import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startGitHttpServer } from "../../test/support/git-http-server.ts";
import { inspectRepository } from "./inspect.ts";
import { pushBranch, remoteHead, syncMirror, type Remote } from "./remote.ts";
import { openFixture } from "./repository-fixture.ts";

const AUTHORIZATION = `Basic ${Buffer.from("x-access-token:secret-canary").toString("base64")}`;

async function setup() {
  const fx = await openFixture();
  const seed = await fx.repository("seed");
  const root = path.join(fx.dir, "server");
  await mkdir(path.join(root, "octo"), { recursive: true });
  const bare = path.join(root, "octo", "menu.git");
  await fx.person(fx.dir, "clone", "--quiet", "--bare", seed, bare);
  const server = await startGitHttpServer({
    root,
    allow: ({ authorization }) => (authorization === AUTHORIZATION ? 200 : 401),
  });
  onTestFinished(async () => {
    await server.close();
    await fx.close();
  });
  const remote: Remote = { url: `${server.url}/octo/menu.git`, authorization: AUTHORIZATION };
  const mirrorPath = path.join(fx.dir, "mirrors", "menu.git");
  return { fx, seed, bare, server, remote, mirrorPath, git: fx.git };
}

test("mirrors a hosted branch so that it can be read like a local repository, and follows it when it is rewritten", async () => {
  const { fx, seed, bare, remote, mirrorPath, git } = await setup();
  const first = await syncMirror(git, { mirrorPath, remote, branch: "main" });
  expect(await inspectRepository(git, { path: mirrorPath, branch: "main" })).toMatchObject({
    bare: true,
    commit: first.commit,
  });
  await fx.person(seed, "commit", "-q", "--amend", "-m", "rewritten");
  await fx.person(seed, "push", "-q", "--force", bare, "main");
  const rewritten = await fx.person(seed, "rev-parse", "HEAD");
  expect((await syncMirror(git, { mirrorPath, remote, branch: "main" })).commit).toBe(rewritten);
});

test("pushes a branch once, moves only what it pushed itself, and never overwrites a person's commit", async () => {
  const { fx, seed, bare, remote, git } = await setup();
  const gitDir = path.join(seed, ".git");
  const one = await fx.commit(seed, { a: "1" });
  const two = await fx.commit(seed, { a: "2" });
  const push = (commit: string, expectedOld: string | null) =>
    pushBranch(git, { gitDir, remote, branch: "miyabi/T1", commit, expectedOld });
  expect(await push(one, null)).toEqual({ outcome: "pushed" });
  expect(await push(one, one)).toEqual({ outcome: "already" });
  // The push before had reached the server, but we died before we wrote it down.
  expect(await push(one, null)).toEqual({ outcome: "already" });
  expect(await push(two, one)).toEqual({ outcome: "pushed" });

  await fx.person(bare, "update-ref", "refs/heads/miyabi/T1", one);
  expect(await push(two, two)).toEqual({ outcome: "moved", to: one });
  await fx.person(bare, "update-ref", "-d", "refs/heads/miyabi/T1");
  expect(await push(two, one)).toEqual({ outcome: "moved", to: null });
  expect(await remoteHead(git, { remote, branch: "miyabi/T1" })).toBe(null);
});

test("says what the server said when it refuses a push", async () => {
  const { fx, seed, bare, remote, git } = await setup();
  await mkdir(path.join(bare, "hooks"), { recursive: true });
  await writeFile(
    path.join(bare, "hooks", "pre-receive"),
    "#!/bin/sh\necho 'GH006: Protected branch update failed'\nexit 1\n",
  );
  await chmod(path.join(bare, "hooks", "pre-receive"), 0o755);
  const commit = await fx.commit(seed, { a: "1" });
  expect(
    await pushBranch(git, {
      gitDir: path.join(seed, ".git"),
      remote,
      branch: "miyabi/T1",
      commit,
      expectedOld: null,
    }),
  ).toEqual({ outcome: "refused", message: "GH006: Protected branch update failed" });
});

test("a server that is away can be tried again; one that does not let us in cannot", async () => {
  const { remote, mirrorPath, git, server } = await setup();
  const denied = syncMirror(git, { mirrorPath, remote: { ...remote, authorization: null }, branch: "main" });
  await expect(denied).rejects.toMatchObject({ code: "github.unauthorized", retryable: false });
  const gone = syncMirror(git, { mirrorPath, remote, branch: "nowhere" });
  await expect(gone).rejects.toMatchObject({ code: "repository.unusable" });
  await server.close();
  await expect(syncMirror(git, { mirrorPath, remote, branch: "main" })).rejects.toMatchObject({
    code: "github.unavailable",
    retryable: true,
  });
});

test("leaves no credential in the mirror and in no error", async () => {
  const { remote, mirrorPath, git } = await setup();
  await syncMirror(git, { mirrorPath, remote, branch: "main" });
  for (const name of await readdir(mirrorPath, { recursive: true })) {
    const text = await readFile(path.join(mirrorPath, name), "latin1").catch(() => "");
    expect(text).not.toContain(AUTHORIZATION.slice(6));
  }
  const error: unknown = await syncMirror(git, { mirrorPath, remote, branch: "nowhere" }).catch(
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error) + String(error)).not.toContain(AUTHORIZATION.slice(6));
});

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openClient } from "./client.ts";
import { problemAnswer, setupCommandLine, taskAnswer } from "./command-line-fixture.ts";

describe("client", () => {
  it("fills the path, encodes it, and authenticates", async () => {
    const { env, requests } = await setupCommandLine(() => ({ status: 200, body: taskAnswer() }));
    const client = await openClient(env);
    await expect(client.call("getTask", { params: { id: "T1/../x" } })).resolves.toMatchObject({ id: "T1" });
    expect(requests[0]).toMatchObject({
      method: "GET",
      url: "/api/tasks/T1%2F..%2Fx",
      headers: { authorization: "Bearer secret" },
      body: null,
    });
  });

  it("turns a problem into an error with its code, fix and details", async () => {
    const { env } = await setupCommandLine(() =>
      problemAnswer(422, "dependency.cycle", "T1 → T2 → T1", "miyabi task show T1"),
    );
    const client = await openClient(env);
    await expect(client.call("status")).rejects.toMatchObject({
      code: "dependency.cycle",
      message: "T1 → T2 → T1",
      fix: "miyabi task show T1",
    });
  });

  it.each([
    ["an unknown code", problemAnswer(500, "new.code", "said", null), "internal.bug", "said"],
    ["no problem at all", { status: 502, body: "bad gateway" }, "internal.bug", "The server answered 502"],
    ["401 without a problem", { status: 401, body: {} }, "api.unauthenticated", "401"],
    ["an answer of another shape", { status: 200, body: { id: 1 } }, "internal.bug", "/api/tasks/:id"],
  ])("says what it can of %s", async (_, answer, code, message) => {
    const { env } = await setupCommandLine(() => answer);
    const client = await openClient(env);
    const failure = client.call("getTask", { params: { id: "T1" } });
    await expect(failure).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it("is not running without files, with a broken one, with a dead process and with a closed port", async () => {
    const empty = await setupCommandLine();
    await expect(openClient(empty.env)).rejects.toMatchObject({ code: "daemon.not_running" });

    const { env, home, requests } = await setupCommandLine(() => ({ status: 200, body: {} }));
    const file = path.join(home.runDir, "control-plane.json");
    await writeFile(file, '{"url":');
    await expect(openClient(env)).rejects.toMatchObject({ code: "daemon.not_running" });
    await writeFile(file, JSON.stringify({ url: "http://127.0.0.1:1", pid: 2 ** 30 }));
    await expect(openClient(env)).rejects.toMatchObject({ code: "daemon.not_running" });
    await writeFile(file, JSON.stringify({ url: "http://127.0.0.1:1", pid: process.pid }));
    const client = await openClient(env);
    await expect(client.call("status")).rejects.toMatchObject({
      code: "daemon.not_running",
      fix: "miyabi up --detach",
    });
    expect(requests).toEqual([]);
  });
});

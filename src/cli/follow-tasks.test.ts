import { describe, expect, it } from "vitest";
import { AppError, createFakeClock } from "../base/index.ts";
import type { Client } from "./client.ts";
import { taskAnswer } from "./command-line-fixture.ts";
import { followTasks } from "./follow-tasks.ts";

type Round = readonly Record<string, unknown>[] | AppError;

/** Follows T1 and T2 through the rounds; the last round lasts. Time flies. */
async function follow(rounds: readonly Round[], signal = new AbortController().signal) {
  const notes: string[] = [];
  const fake = createFakeClock();
  let round = 0;
  const outcome = await followTasks({
    taskIds: ["T1", "T2"],
    note: (text) => notes.push(text),
    clock: {
      ...fake,
      sleep: (ms) => {
        round += 1;
        fake.advance(ms);
        return Promise.resolve();
      },
    },
    signal,
    find: () => {
      const now = rounds[Math.min(round, rounds.length - 1)] ?? [];
      if (now instanceof AppError) return Promise.reject(now);
      const call = (_: string, { params }: { params: { id: string } }) =>
        Promise.resolve(now.find((task) => task["id"] === params.id));
      return Promise.resolve({ url: "", pid: 1, call } as unknown as Client);
    },
  });
  return { notes, states: outcome?.map((task) => task.state) ?? null };
}

const one = (state: string, more = {}) => taskAnswer({ id: "T1", title: "a", state, ...more });
const two = (state: string, more = {}) => taskAnswer({ id: "T2", title: "b", state, ...more });
const away = new AppError({ code: "daemon.not_running", message: "away" });

describe("followTasks", () => {
  it("tells each change once and ends when every task has", async () => {
    const running = one("running", { slot: "kaede" });
    const { notes, states } = await follow([
      [running, two("blocked")],
      [running, two("blocked")],
      [one("done"), two("failed")],
    ]);
    expect(states).toEqual(["done", "failed"]);
    expect(notes.map((note) => note.replaceAll(/ +/g, " "))).toEqual([
      "T1 running · implement · kaede a",
      "T2 blocked · implement b",
      "T1 done a",
      "T2 failed b",
    ]);
  });

  it("ends where the rest is blocked behind what failed", async () => {
    const { states } = await follow([[one("failed"), two("blocked")]]);
    expect(states).toEqual(["failed", "blocked"]);
  });

  it("says what a person has to do", async () => {
    const reason = { code: "approval.open", message: "It waits.", params: {}, fix: "miyabi task approve T1" };
    const { notes } = await follow([
      [one("waiting", { waitsFor: "approval", reason }), two("done")],
      [one("done"), two("done")],
    ]);
    expect(notes).toContain("     It waits.  → miyabi task approve T1");
  });

  it("waits for a control plane that restarts, but not for ever", async () => {
    const done = [one("done"), two("done")];
    await expect(follow([away, away, done])).resolves.toMatchObject({ states: ["done", "done"] });
    await expect(follow([away])).rejects.toBe(away);
  });

  it("fails at once where waiting does not help", async () => {
    const gone = new AppError({ code: "not_found", message: "gone" });
    await expect(follow([gone])).rejects.toBe(gone);
  });

  it("stops when it is interrupted", async () => {
    const interrupted = new AbortController();
    interrupted.abort();
    const { states } = await follow([[one("running"), two("ready")]], interrupted.signal);
    expect(states).toBeNull();
  });
});

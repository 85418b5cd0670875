import { Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { createCounts, createDurations } from "./tallies.ts";

const linesOf = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .toSorted();

test("counts read as those of prom-client, odd names included", async () => {
  const registers = [new Registry()];
  const theirs = new Counter({
    name: "n_total",
    help: "Calls.",
    labelNames: ["provider", "outcome"],
    registers,
  });
  const ours = createCounts({ name: "n_total", help: "Calls.", labels: ["provider", "outcome"] });
  for (const [provider, outcome, amount] of [
    ["openai", "ok", 1],
    ["openai", "ok", 2.5],
    ['od"d\\one\n', "failed", 0],
    ["openai", "failed", 7],
  ] as const) {
    theirs.inc({ provider, outcome }, amount);
    ours.add(amount, provider, outcome);
  }
  expect(linesOf(ours.text())).toEqual(linesOf((await registers[0]?.metrics()) ?? ""));
});

test("durations read as those of prom-client", async () => {
  const registers = [new Registry()];
  const bounds = [0.005, 0.1, 1];
  const named = { name: "call_seconds", help: "Whole calls." };
  const theirs = new Histogram({ ...named, labelNames: ["provider"], buckets: bounds, registers });
  const ours = createDurations({ ...named, label: "provider", bounds });
  for (const seconds of [0.001, 0.005, 0.05, 0.5, 1, 30]) {
    theirs.observe({ provider: "openai" }, seconds);
    ours.observe(seconds, "openai");
    ours.observe(seconds, "google");
    theirs.observe({ provider: "google" }, seconds);
  }
  expect(linesOf(ours.text())).toEqual(linesOf((await registers[0]?.metrics()) ?? ""));
});

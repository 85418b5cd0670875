import { expect, test } from "vitest";
import { parseCommand } from "./parse.ts";

test("a command begins a line; quotes, code and other words hold none", () => {
  expect(parseCommand("Thanks!\n\n/miyabi retry\nplease")).toEqual({ name: "retry" });
  expect(parseCommand("  /Miyabi STOP")).toEqual({ name: "stop" });
  expect(parseCommand("> /miyabi stop")).toBe(null);
  expect(parseCommand("Say /miyabi stop to end it.")).toBe(null);
  expect(parseCommand("```\n/miyabi stop\n```")).toBe(null);
  expect(parseCommand("~~~\n/miyabi stop")).toBe(null);
  expect(parseCommand("<!-- \n/miyabi stop\n-->")).toBe(null);
  expect(parseCommand("/miyabi-orchestra stop")).toBe(null);
  expect(parseCommand("")).toBe(null);
});

test("classes and sums are read as people write them, and refused where they mean nothing", () => {
  expect(parseCommand("/miyabi priority p0")).toEqual({ name: "priority", class: "P0" });
  expect(parseCommand("/miyabi budget 5")).toEqual({ name: "budget", micros: 5_000_000 });
  expect(parseCommand("/miyabi budget $2.50")).toEqual({ name: "budget", micros: 2_500_000 });
  for (const wrong of [
    "priority",
    "priority P9",
    "budget",
    "budget -1",
    "budget all",
    "budget 1e9",
    "retry now",
  ])
    expect(parseCommand(`/miyabi ${wrong}`)).toEqual({ name: "unknown", said: wrong });
  expect(parseCommand("/miyabi")).toEqual({ name: "unknown", said: "" });
});

test("a question goes on to the end of the comment", () => {
  expect(parseCommand("/miyabi ask why yen?\n\nAnd why now?")).toEqual({
    name: "ask",
    text: "why yen?\n\nAnd why now?",
  });
  expect(parseCommand("/miyabi ask")).toEqual({ name: "unknown", said: "ask" });
});

import { describe, expect, test } from "vitest";
import type { TranscriptBody } from "../../contract/index.ts";
import type { HostMessage } from "../protocol.ts";
import { createPermissions, decideByRule } from "./permissions.ts";
import { sampleSpec } from "./sample-spec.ts";

const OPTIONS = [
  { id: "always", name: "Always", kind: "allow_always" },
  { id: "once", name: "Once", kind: "allow_once" },
  { id: "no", name: "No", kind: "reject_once" },
];
const request = {
  requestId: "p1",
  title: "Edit a file",
  tool: "edit",
  paths: ["src/a.ts"],
  options: OPTIONS,
};

function setup(policy: "auto" | "ask" | "forbid") {
  const events: TranscriptBody[] = [];
  const asked: HostMessage[] = [];
  const permissions = createPermissions({
    spec: sampleSpec(),
    policy,
    cloneDir: "/work/clone",
    emit: (event) => events.push(event),
    ask: (message) => asked.push(message),
    answered: () => {},
  });
  return { events, asked, permissions, signal: new AbortController().signal };
}

describe("permissions", () => {
  test.each([
    [["src/a.ts"], "allow"],
    [["/work/clone/src/a.ts"], "allow"],
    [["/work/clone"], "allow"],
    [[], "allow"],
    [["../other/a.ts"], "deny"],
    [["/work/clone/../secret"], "deny"],
    [["/work/clone-2/a"], "deny"],
    [["src/a.ts", "/etc/passwd"], "deny"],
  ] as const)("paths %j are answered with %s", (paths, expected) => {
    expect(decideByRule({ paths }, "auto", "/work/clone")).toBe(expected);
  });

  test("auto allows once rather than always", async () => {
    const { permissions, signal, events } = setup("auto");
    expect(await permissions.decide(request, signal)).toEqual({ optionId: "once" });
    expect(events).toEqual([expect.objectContaining({ decision: "allowed", by: "policy" })]);
  });

  test("forbid denies, and cancels where no denial is offered", async () => {
    const { permissions, signal } = setup("forbid");
    expect(await permissions.decide(request, signal)).toEqual({ optionId: "no" });
    const only = { ...request, options: OPTIONS.slice(0, 2) };
    expect(await permissions.decide(only, signal)).toEqual({ optionId: null });
  });

  test("ask waits for the person, but not about paths outside", async () => {
    const { permissions, signal, asked, events } = setup("ask");
    const decision = permissions.decide(request, signal);
    expect(asked).toEqual([expect.objectContaining({ type: "permission", requestId: "p1" })]);
    permissions.answer("other", "once");
    permissions.answer("p1", "always");
    expect(await decision).toEqual({ optionId: "always" });
    expect(events.map((event) => event.kind === "permission" && event.decision)).toEqual([
      "asked",
      "allowed",
    ]);
    expect(await permissions.decide({ ...request, paths: ["/etc/x"] }, signal)).toEqual({ optionId: "no" });
  });

  test("a question ends with its turn", async () => {
    const { permissions } = setup("ask");
    const controller = new AbortController();
    const decision = permissions.decide(request, controller.signal);
    controller.abort();
    expect(await decision).toEqual({ optionId: null });
  });
});

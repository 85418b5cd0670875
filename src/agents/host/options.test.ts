import { describe, expect, test } from "vitest";
import { splitWords } from "./conductor.ts";
import { hostCommand, parseHostOptions } from "./options.ts";

const params = {
  slot: "kaede",
  role: "code",
  name: "Kaede カエデ",
  color: "#ff8800",
  url: "http://127.0.0.1:8000",
  machine: "here",
  nodeFile: "/usr/bin/node",
  program: "/opt/host.js",
  tokenFile: "/home/x/host.token",
  agentsDir: "/home/x/agents",
  sampleAgentDir: "/opt/sample",
  readOnly: ["/opt/modules"],
  cli: ["/usr/bin/node", "/opt/miyabi.cjs"],
  home: { root: "/home/x" },
  env: { PATH: "/usr/bin" },
};

describe("host options", () => {
  test("what starts a host is what it reads", () => {
    const { command, env } = hostCommand(params);
    const options = parseHostOptions(command.slice(command.indexOf("/opt/host.js") + 1));
    expect(options).toEqual({
      slot: "kaede",
      role: "code",
      name: "Kaede カエデ",
      color: "#ff8800",
      url: "http://127.0.0.1:8000",
      machine: "here",
      "token-file": "/home/x/host.token",
      "agents-dir": "/home/x/agents",
      "sample-dir": "/opt/sample",
      "read-only": ["/opt/modules"],
      cli: ["/usr/bin/node", "/opt/miyabi.cjs"],
    });
    expect(env).toEqual({ PATH: "/usr/bin", MIYABI_HOME: "/home/x" });
  });

  test("names what is wrong", () => {
    expect(() => parseHostOptions(["--slot=K"])).toThrow(/--slot/);
    expect(() => parseHostOptions(["--unknown=1"])).toThrow(/unknown/);
  });

  test("a line becomes words", () => {
    expect(splitWords(`task add --title "Fix the 'door'" --label 'a b' x`)).toEqual([
      "task",
      "add",
      "--title",
      "Fix the 'door'",
      "--label",
      "a b",
      "x",
    ]);
    expect(splitWords("")).toEqual([]);
  });
});

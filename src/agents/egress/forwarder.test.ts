import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { sandboxEnvironment } from "./environment.ts";
import { forwarderCommand } from "./forwarder.ts";

describe("forwarderCommand", () => {
  it("is one program text that needs nothing of ours", () => {
    const { command, args } = forwarderCommand({ nodeFile: "/n/node", socketPath: '/run/miyabi/it\'s "s"' });
    expect(command).toBe("/n/node");
    const listened: unknown[] = [];
    const server = { listen: (...values: unknown[]) => listened.push(values[0], values[1]) };
    runInNewContext(args.at(-1) ?? "", {
      require: () => ({ createServer: () => server }),
      process: { stdout: {} },
    });
    expect(listened).toEqual([8790, "127.0.0.1"]);
  });
});

describe("sandboxEnvironment", () => {
  it("leads every proxy variable to the forwarder and lets the profile's variables win", () => {
    const environment = sandboxEnvironment({
      homeDir: "/h",
      nodeFile: "/opt/node/bin/node",
      pathDirs: ["/agent/bin"],
      extra: { LANG: "ja_JP.UTF-8" },
    });
    expect(environment["PATH"]).toMatch(/^\/opt\/node\/bin:\/agent\/bin:\/usr\/local\/sbin/);
    expect(environment["LANG"]).toBe("ja_JP.UTF-8");
    for (const name of ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
      expect(environment[name]).toBe("http://127.0.0.1:8790");
    expect(environment["MIYABI_MCP_URL"]).toBe("http://127.0.0.1:8790/mcp");
  });
});

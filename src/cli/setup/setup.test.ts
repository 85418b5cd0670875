import {
  appendFile,
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { setupCommandLine } from "../command-line-fixture.ts";
import { jsonFormat } from "./formats/json.ts";
import { KEY, setup, snapshot, type Gateway } from "./setup-fixture.ts";

const EXISTING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  claude: {
    ".claude/settings.json": `{\n  "permissions": { "allow": ["Bash(ls)"] },\n  "env": { "FOO": "1" }\n}\n`,
  },
  codex: {
    ".codex/config.toml": `# mine\nmodel = "gpt-5.1-codex"\n\n[projects."/home/mika"]\ntrust_level = "trusted"\n`,
    ".codex/.env": "OTHER=1\n",
  },
  continue: {
    ".continue/config.yaml": `name: mine\nversion: 1.0.0\nschema: v1\nmodels:\n  # at home\n  - name: local\n    provider: ollama\n    model: qwen3\n`,
  },
  aider: { ".aider.conf.yml": `# of mika\ndark-mode: true\nmodel: sonnet # usual\n` },
  opencode: {
    ".config/opencode/opencode.jsonc": `{\n  // mine\n  "$schema": "https://opencode.ai/config.json",\n  "theme": "tokyonight",\n}\n`,
  },
  copilot: { ".profile": "alias l=ls\n" },
  gemini: { ".gemini/settings.json": `{\n  // mine\n  "ui": { "theme": "GitHub" }\n}\n` },
};

describe.each(Object.keys(EXISTING))("miyabi setup %s", (tool) => {
  test("merges into what is there, hides the key, keeps it private, tries it, changes nothing again, and undoes exactly", async () => {
    const context = await setup();
    for (const [name, text] of Object.entries(EXISTING[tool] ?? {})) await context.put(name, text);
    const before = await snapshot(context);
    const first = await context.run("setup", tool);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/\n {2}check {2}5 models offered; \S+ answered in \d+ ms\n/);
    const after = await snapshot(context);
    expect(first.stdout + first.stderr).not.toContain(KEY);
    const withKey = Object.entries(after).filter(([, content]) => content.includes(KEY));
    expect(withKey).toHaveLength(1);
    for (const [, content] of withKey) expect(content).toMatch(/^600 /);
    for (const [name, content] of Object.entries(before))
      for (const remark of content.match(/(# |\/\/ )\w+( \w+)?/g) ?? [])
        expect(after[name]).toContain(remark);
    expect(Object.values(after).join("")).toContain(context.requests[0]?.headers.host);

    const again = await context.run("setup", tool);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("as before");
    expect(await snapshot(context)).toEqual(after);
    expect(context.made()).toBe(1);

    const undone = await context.run("setup", tool, "--undo");
    expect(undone).toMatchObject({ code: 0 });
    expect(undone.stdout).toContain("K1 is refused from now on");
    expect(await snapshot(context)).toEqual(before);
    expect(await context.run("setup", tool, "--undo")).toMatchObject({ code: 66 });
  });

  test("makes its files where there are none, and shows before what it would do", async () => {
    const context = await setup();
    const planned = await context.run("setup", tool, "--dry-run", "--json");
    expect(planned.code).toBe(0);
    expect(await snapshot(context)).toEqual({});
    expect(context.made()).toBe(0);
    const { tools } = JSON.parse(planned.stdout) as {
      tools: { state: string; files: { file: string; diff: string[] }[] }[];
    };
    expect(tools[0]).toMatchObject({ state: "planned", makesKey: true });
    expect((await context.run("setup", tool)).code).toBe(0);
    const made = await snapshot(context);
    expect(Object.keys(made).toSorted()).toEqual(
      tools[0]?.files.map(({ file }) => path.relative(context.dir, file)).toSorted(),
    );
    await context.run("setup", tool, "--undo");
    expect(await snapshot(context)).toEqual({});
  });
});

describe("miyabi setup", () => {
  test("shows a diff in which neither its key nor another secret stands", async () => {
    const context = await setup();
    await context.put(
      ".claude/settings.json",
      `{\n  "env": {\n    "GITHUB_TOKEN": "very-secret",\n    "ANTHROPIC_API_KEY": "sk-ant-very-secret"\n  }\n}\n`,
    );
    const { stdout } = await context.run("setup", "claude", "--dry-run");
    expect(stdout).toContain(`         "GITHUB_TOKEN": "•••",\n`);
    expect(stdout).toContain(`+    "ANTHROPIC_AUTH_TOKEN": "•••"`);
    expect(stdout).not.toMatch(/very-secret|mk-/);
    expect(stdout).toContain("Nothing was written.");
  });

  test("refuses a file that it cannot read before it makes a key, and says where it is broken", async () => {
    const context = await setup();
    await context.put(".claude/settings.json", `{ "a": 1\n  "b": 2 }`);
    await context.put(".codex/config.toml", `a = = 1`);
    await context.put(".aider.conf.yml", `a: [`);
    const before = await snapshot(context);
    for (const [tool, where] of [
      ["claude", "settings.json:2:3:"],
      ["codex", "config.toml:1:5:"],
      ["aider", ".aider.conf.yml:1:5:"],
    ] as const) {
      const { code, stderr } = await context.run("setup", tool);
      expect(code).toBe(78);
      expect(stderr).toContain(where);
      expect(stderr).toContain("Nothing was changed.");
    }
    await context.put(".continue/config.json", "{}");
    expect((await context.run("setup", "continue")).stderr).toContain("still reads config.json");
    await rm(path.join(context.dir, ".continue"), { recursive: true });
    expect(await snapshot(context)).toEqual(before);
    expect(context.made()).toBe(0);
  });

  test("sets only its own settings back where the file was edited since", async () => {
    const context = await setup();
    const file = await context.put(
      ".claude/settings.json",
      EXISTING["claude"]?.[".claude/settings.json"] ?? "",
    );
    await context.run("setup", "claude");
    await writeFile(
      file,
      jsonFormat.edit(await readFile(file, "utf8"), [{ path: ["theme"], value: "dark" }], file),
    );
    const { stdout } = await context.run("setup", "claude", "--undo");
    expect(stdout).toContain("was edited since: only miyabi's settings were set back");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      permissions: { allow: ["Bash(ls)"] },
      env: { FOO: "1" },
      theme: "dark",
    });
    const toml = await context.put(".codex/config.toml", EXISTING["codex"]?.[".codex/config.toml"] ?? "");
    await context.run("setup", "codex", "--model", "gpt-6");
    // Codex itself does that at its first start.
    await appendFile(toml, "\n[tui]\nseen = true\n");
    await context.run("setup", "codex", "--undo");
    expect(await readFile(toml, "utf8")).toBe(
      `${EXISTING["codex"]?.[".codex/config.toml"] ?? ""}\n[tui]\nseen = true\n`,
    );
    const yaml = path.join(context.dir, ".continue/config.yaml");
    await context.run("setup", "continue");
    await appendFile(yaml, "rules:\n  - Be kind.\n");
    await context.run("setup", "continue", "--undo");
    expect(await readFile(yaml, "utf8")).toBe("rules:\n  - Be kind.\n");
    const made = path.join(context.dir, ".config/opencode/opencode.json");
    await context.run("setup", "opencode");
    await writeFile(
      made,
      jsonFormat.edit(await readFile(made, "utf8"), [{ path: ["theme"], value: "x" }], made),
    );
    await context.run("setup", "opencode", "--undo");
    expect(JSON.parse(await readFile(made, "utf8"))).toEqual({ theme: "x" });
  });

  test("can be undone step by step, keeps a chosen model, and replaces a key that is no longer valid", async () => {
    const gateway: Gateway = {};
    const context = await setup(gateway);
    const file = await context.put(".aider.conf.yml", "model: sonnet\n");
    await context.run("setup", "aider");
    expect(await readFile(file, "utf8")).toContain("model: openai/gpt-5.1\n");
    await context.run("setup", "aider", "--model", "my-model");
    await context.run("setup", "aider");
    expect(await readFile(file, "utf8")).toContain("model: openai/my-model\n");
    expect(context.made()).toBe(1);
    await context.run("setup", "aider", "--undo");
    expect(await readFile(file, "utf8")).toContain("model: openai/gpt-5.1\n");
    gateway.revoked = true;
    await context.run("setup", "aider");
    expect(context.made()).toBe(2);
    await context.run("setup", "aider", "--undo");
    expect(await readFile(file, "utf8")).toBe("model: sonnet\n");
  });

  test("goes on after a crash between the backup and the files", async () => {
    const context = await setup();
    const files = EXISTING["codex"] ?? {};
    for (const [name, text] of Object.entries(files)) await context.put(name, text);
    const before = await snapshot(context);
    await context.run("setup", "codex");
    // As if only the first of both files had been written.
    await context.put(".codex/.env", files[".codex/.env"] ?? "");
    expect(await context.run("setup", "codex")).toMatchObject({ code: 0 });
    expect(await readFile(path.join(context.dir, ".codex/.env"), "utf8")).toContain(KEY);
    await context.run("setup", "codex", "--undo");
    await context.run("setup", "codex", "--undo");
    expect(await snapshot(context)).toEqual(before);
  });

  test("leaves a link a link", async () => {
    const context = await setup();
    const real = await context.put("dotfiles/claude.json", "{}\n");
    await chmod(real, 0o640);
    await mkdir(path.join(context.dir, ".claude"));
    await symlink(real, path.join(context.dir, ".claude/settings.json"));
    expect((await context.run("setup", "claude")).code).toBe(0);
    expect((await lstat(path.join(context.dir, ".claude/settings.json"))).isSymbolicLink()).toBe(true);
    expect(await readFile(real, "utf8")).toContain(KEY);
    await context.run("setup", "claude", "--undo");
    expect(await readFile(real, "utf8")).toBe("{}\n");
    expect((await stat(real)).mode & 0o777).toBe(0o640);
  });

  test("two at once keep a backup each", async () => {
    const context = await setup();
    await context.put(".aider.conf.yml", "model: sonnet\n");
    await Promise.all(["a", "b", "c"].map((model) => context.start("setup", "aider", "--model", model)));
    const kept = await readdir(path.join(context.dir, ".local/state/miyabi/setup/aider"));
    expect(kept.toSorted()).toEqual(["000001.json", "000002.json", "000003.json"]);
  });

  test.runIf(process.getuid?.() === 0)(
    "as root gives what it writes to the person, and follows no link out of what is theirs",
    async () => {
      const context = await setup();
      const home = path.join(context.dir, "mika");
      await mkdir(home);
      await chown(home, 1000, 1000);
      expect((await context.run("setup", "claude", "--home", home)).code).toBe(0);
      for (const file of [
        ".claude",
        ".claude/settings.json",
        ".local",
        ".local/state/miyabi/setup/claude/000001.json",
      ])
        expect((await stat(path.join(home, file))).uid).toBe(1000);
      const foreign = await context.put("of-root.yml", "a: 1\n");
      await symlink(foreign, path.join(home, ".aider.conf.yml"));
      const { code, stderr } = await context.run("setup", "aider", "--home", home);
      expect(code).toBe(78);
      expect(stderr).toContain("does not belong to the person");
      expect(await readFile(foreign, "utf8")).toBe("a: 1\n");
    },
  );

  test("says plainly that no provider is there, and fails where the call fails", async () => {
    const without = await setup({ providers: ["no-key"], models: [] });
    const { code, stdout } = await without.run("setup", "continue");
    expect(code).toBe(0);
    expect(stdout).toContain("no call was made, because no provider is configured");
    const broken = await setup({ status: 503 });
    const failed = await broken.run("setup", "claude");
    expect(failed.code).toBe(69);
    expect(failed.stdout).toContain("the call of claude-sonnet-4-5 failed: 503: overloaded");
    const foreign = await setup({ models: ["qwen3-coder", "qwen3-embedding"] });
    expect((await foreign.run("setup", "claude")).stdout).toContain("model  qwen3-coder");
  });

  test("finds what is installed, for another home too, and lets one failure not stop the others", async () => {
    const context = await setup();
    const other = path.join(context.dir, "other");
    for (const name of ["claude", "aider"]) {
      const file = await context.put(`other/.local/bin/${name}`, "#!/bin/sh\n");
      await chmod(file, 0o755);
    }
    await context.put("other/.continue/x", "");
    await context.put("other/.claude/settings.json", "{");
    const { code, stdout } = await context.run("setup", "--all", "--home", other, "--json");
    expect(code).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      tools: [
        { tool: "claude", state: "failed", code: "config.invalid" },
        { tool: "continue", state: "written" },
        { tool: "aider", state: "written", key: { made: true } },
      ],
    });
    expect(await readFile(path.join(other, ".aider.conf.yml"), "utf8")).toContain(KEY);
    expect((await context.run("setup", "--all", "--undo", "--home", other)).code).toBe(0);
    expect(await readdir(other)).not.toContain(".aider.conf.yml");
  });

  test.each([[[]], [["claude", "--all"]], [["emacs"]], [["claude", "--undo", "--dry-run"]]])(
    "takes no %j",
    async (words) => {
      const context = await setup();
      expect((await context.run("setup", ...words)).code).toBe(64);
    },
  );

  test("is a command", async () => {
    const { run: type, dir } = await setupCommandLine();
    expect((await type("setup", "--help")).stdout).toContain("--dry-run");
    expect(await type("setup", "claude", "--home", dir, "--dry-run")).toMatchObject({ code: 69 });
    expect(await type("setup", "claude", "--undo")).toMatchObject({ code: 66 });
  });
});

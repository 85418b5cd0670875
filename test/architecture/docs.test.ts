import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/base/index.ts";
import { persona } from "../../src/chat/persona.ts";
import { settings } from "../../src/main/settings.ts";
import { dependenciesFile } from "../../src/sources/github/dependencies-file.ts";
import { workflow } from "../../src/tasks/index.ts";

const DOCS = path.join(import.meta.dirname, "../../docs");
const YAML = /```yaml\n([^]*?)```/g;

describe("the documents", () => {
  test.each([
    "configuration.md",
    "ja/configuration.md",
    "github.md",
    "ja/github.md",
    "trust.md",
    "ja/trust.md",
  ])("%s shows only settings that are accepted", async (name) => {
    const text = await readFile(path.join(DOCS, name), "utf8");
    const examples = [...text.matchAll(YAML)].map(([, example = ""]) => example);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      if (example.startsWith("version:"))
        parseYaml({ text: example, source: name, schema: workflow, code: "workflow.invalid" });
      else if (example.startsWith("# .miyabi/dependencies.yaml"))
        parseYaml({ text: example, source: name, schema: dependenciesFile, code: "config.invalid" });
      else parseYaml({ text: example, source: name, schema: settings, code: "config.invalid" });
    }
  });

  test.each(["chat.md", "ja/chat.md"])("%s shows settings and a persona that are accepted", async (name) => {
    const text = await readFile(path.join(DOCS, name), "utf8");
    const [forChat = "", forPersona = ""] = [...text.matchAll(YAML)].map(([, example]) => example);
    parseYaml({ text: forChat, source: name, schema: settings, code: "config.invalid" });
    parseYaml({ text: forPersona, source: name, schema: persona, code: "config.invalid" });
  });

  test("link only to what exists", async () => {
    const names = (await readdir(DOCS, { recursive: true })).filter((name) => name.endsWith(".md"));
    const pages = [
      ...names.map((name) => path.join(DOCS, name)),
      ...["README.md", "README.ja.md"].map((name) => path.join(DOCS, "..", name)),
    ];
    const missing: string[] = [];
    for (const page of pages) {
      const links = (await readFile(page, "utf8")).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g);
      for (const [, link = ""] of links)
        if ((await readFile(path.join(path.dirname(page), link)).catch(() => null)) === null)
          missing.push(`${page}: ${link}`);
    }
    expect(missing).toEqual([]);
  });
});

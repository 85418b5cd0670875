import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FORMATS, valueAt, type Change, type FormatName, type Json, type Step } from "./index.ts";

const SOURCE = "settings";
const set = (value: Json | undefined, ...path: readonly Step[]): Change => ({ path, value });
const edit = (format: FormatName, text: string, ...changes: readonly Change[]): string =>
  FORMATS[format].edit(text, changes, SOURCE);

describe("JSON", () => {
  const before = `{
    // mine
    "theme": "dark", /* kept */
    "env": {
        "A": "1" // last
    },
    "list": [1, 2,], // trailing
}
`;

  test("keeps comments, order, indentation and trailing commas", () => {
    expect(edit("json", before, set("2", "env", "B"), set("light", "theme"), set({ x: [1] }, "new"))).toBe(`{
    // mine
    "theme": "light", /* kept */
    "env": {
        "A": "1", // last
        "B": "2"
    },
    "list": [1, 2,], // trailing
    "new": {
        "x": [
            1
        ]
    },
}
`);
  });

  test("writes into empty files, empty objects and single lines", () => {
    expect(edit("json", "", set("b", "a", "c"))).toBe(`{\n  "a": {\n    "c": "b"\n  }\n}\n`);
    expect(edit("json", "{}", set(1, "a"))).toBe(`{\n  "a": 1\n}`);
    expect(edit("json", `{"a": 1}`, set(2, "b"))).toBe(`{"a": 1, "b": 2}`);
    expect(edit("json", `{\n  // nothing yet\n}\n`, set(2, "b"))).toBe(`{\n  // nothing yet\n  "b": 2\n}\n`);
  });

  test("takes out what was put in", () => {
    const changed = edit("json", before, set("2", "env", "B"), set({}, "new"));
    expect(edit("json", changed, set(undefined, "env", "B"), set(undefined, "new"))).toBe(
      before.replace('"A": "1" //', '"A": "1" //'),
    );
    expect(edit("json", `{ "a": 1, "b": 2 }`, set(undefined, "a"))).toBe(`{ "b": 2 }`);
    expect(edit("json", `{ "a": 1 }`, set(undefined, "a"))).toBe(`{ }`);
    expect(edit("json", before, set(undefined, "nobody", "knows"))).toBe(before);
  });

  test("any change of any document says what was wanted and is idempotent", () => {
    const name = fc.constantFrom("a", "b", "__proto__", 'é " \\', "");
    const json = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.dictionary(name, json, { noNullPrototype: true }),
        fc.array(name, { minLength: 1, maxLength: 3 }),
        json,
        fc.constantFrom(undefined, 1, 2, "\t"),
        (document, path, value, indent) => {
          const text = edit("json", JSON.stringify(document, null, indent), { path, value });
          expect(valueAt(JSON.parse(text) as Json, path)).toEqual(value);
          expect(edit("json", text, { path, value })).toBe(text);
          expect(valueAt(JSON.parse(edit("json", text, { path, value: undefined })) as Json, path)).toBe(
            undefined,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    ["{", 1, 2, "the file ends too early"],
    [`{"a": 1 "b"}`, 1, 9, "a comma or } is expected"],
    [`{\n  "a" 1\n}`, 2, 7, "a colon is expected"],
    [`{"a": tru}`, 1, 7, "a value is expected"],
    [`{} x`, 1, 4, "nothing is expected after the value"],
    ["[".repeat(1000), 1, 202, "it is nested too deep"],
  ])("refuses %j with line and column", (text, line, column, what) => {
    expect(() => edit("json", text, set(1, "a"))).toThrow(
      `settings:${line}:${column}: ${what}. Nothing was changed.`,
    );
  });
});

describe("YAML", () => {
  const before = `# of mika
model: gpt-4o   # fast

read:
- CONVENTIONS.md
dark-mode: true
`;

  test("keeps comments, order and the indentation of lists", () => {
    expect(edit("yaml", before, set("openai/gpt-5", "model"), set("http://x/v1", "openai-api-base")))
      .toBe(`# of mika
model: openai/gpt-5 # fast

read:
- CONVENTIONS.md
dark-mode: true
openai-api-base: http://x/v1
`);
    expect(edit("yaml", before, set("gpt-4o", "model"))).toBe(before);
  });

  const models = `name: mine
models:
  # my own
  - name: local
    provider: ollama
`;
  const item = { field: "name", is: "Miyabi" };

  test("puts an entry first into a list, changes it in its place, and takes it out", () => {
    const made = edit(
      "yaml",
      models,
      set("openai", "models", item, "provider"),
      set(["chat"], "models", item, "roles"),
    );
    expect(valueAt(FORMATS.yaml.read(made, SOURCE), ["models"])).toEqual([
      { name: "Miyabi", provider: "openai", roles: ["chat"] },
      { name: "local", provider: "ollama" },
    ]);
    expect(made).toContain("# my own");
    expect(edit("yaml", made, set("anthropic", "models", item, "provider"))).toBe(
      made.replace("provider: openai", "provider: anthropic"),
    );
    expect(edit("yaml", made, set(undefined, "models", item))).toBe(models);
    const fresh = edit("yaml", "", set("v1", "schema"), set("openai", "models", item, "provider"));
    expect(fresh).toBe("schema: v1\nmodels:\n  - name: Miyabi\n    provider: openai\n");
  });

  test.each([
    ["a: [", "settings:1:5: "],
    ["a: 1\na: 2", "settings:2:1: Map keys must be unique"],
    ["- a", "settings:1:1: a mapping is expected"],
    ["models: none", "settings: models is not a list. Nothing was changed."],
  ])("refuses %j", (text, message) => {
    expect(() => edit("yaml", text, set("x", "models", item, "provider"))).toThrow(message);
  });
});

describe("TOML", () => {
  const before = `# mine
model = "gpt-5" # the big one
notify = [
  "a",
  "b",
]

# servers
[mcp_servers.docs]
command = "npx"

[projects."/home/mika/a.b"]
trust_level = "trusted"
`;

  test("keeps comments, order and other tables", () => {
    const table = ["model_providers", "miyabi"] as const;
    expect(
      edit(
        "toml",
        before,
        set("miyabi", "model_provider"),
        set("gpt-5.1", "model"),
        set(["c"], "notify"),
        set("http://x/v1", ...table, "base_url"),
        set("responses", ...table, "wire_api"),
        set("no", "projects", "/home/mika/a.b", "trust_level"),
      ),
    ).toBe(`# mine
model = "gpt-5.1" # the big one
notify = [ "c" ]
model_provider = "miyabi"

# servers
[mcp_servers.docs]
command = "npx"

[projects."/home/mika/a.b"]
trust_level = "no"

[model_providers.miyabi]
base_url = "http://x/v1"
wire_api = "responses"
`);
  });

  test("takes out what was put in", () => {
    const changed = edit(
      "toml",
      before,
      set("miyabi", "model_provider"),
      set("x", "model_providers", "miyabi", "name"),
    );
    expect(
      edit(
        "toml",
        changed,
        set(undefined, "model_providers", "miyabi", "name"),
        set(undefined, "model_provider"),
      ),
    ).toBe(before);
  });

  test("writes into empty files and before the first table", () => {
    expect(edit("toml", "", set("x", "a"))).toBe('a = "x"\n');
    expect(edit("toml", "# only this\n", set("x", "a"))).toBe('# only this\na = "x"\n');
    expect(edit("toml", "[t]\nb = 1\n", set("x", "a"))).toBe('a = "x"\n\n[t]\nb = 1\n');
    expect(edit("toml", "", set("x", "t", "a"))).toBe('[t]\na = "x"\n');
  });

  test("is not misled by what only looks like a table or a setting", () => {
    const text = 'text = """\n[t]\na = 1\n"""\nb = "# no remark"\n';
    expect(FORMATS.toml.read(edit("toml", text, set("z", "b")), SOURCE)).toEqual({
      text: "[t]\na = 1\n",
      b: "z",
    });
    expect(edit("toml", text, set("z", "t", "a"))).toBe(`${text}\n[t]\na = "z"\n`);
    expect(() => edit("toml", "t = { a = 1 }\n", set("z", "t", "a"))).toThrow("t.a cannot be changed");
  });

  test("refuses what is no TOML with line and column", () => {
    expect(() => edit("toml", "a = 1\nb = = 2\n", set("z", "b"))).toThrow(
      /^settings:2:\d+: .*Nothing was changed\.$/,
    );
  });
});

describe("lines", () => {
  test("of .env files are changed in their place", () => {
    const before = "# mine\nexport A='x y'\nB=1";
    expect(FORMATS.dotenv.read(before, SOURCE)).toEqual({ A: "x y", B: "1" });
    expect(edit("dotenv", before, set("http://h/v1", "A"), set("two words", "C"))).toBe(
      '# mine\nexport A=http://h/v1\nB=1\nC="two words"\n',
    );
    expect(edit("dotenv", "A=1\nB=2\n", set(undefined, "A"))).toBe("B=2\n");
    expect(edit("exports", "", set("1", "A"))).toBe("export A=1\n");
    expect(() => edit("dotenv", "", set("$(reboot)", "A"))).toThrow("does not fit");
  });

  test("of a shell's start file are found by their mark", () => {
    const mark = "# miyabi setup";
    const made = edit("marked-line", "alias l=ls", set(". x", mark));
    expect(made).toBe("alias l=ls\n. x # miyabi setup\n");
    expect(edit("marked-line", made, set(". y", mark))).toBe("alias l=ls\n. y # miyabi setup\n");
    expect(edit("marked-line", made, set(undefined, mark))).toBe("alias l=ls\n");
  });
});

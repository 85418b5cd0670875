import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { AppError, resolveHome } from "../base/index.ts";
import { loadSecrets, loadSettings } from "./settings.ts";

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

async function setup() {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-settings-"));
  directories.push(root);
  return resolveHome({ MIYABI_HOME: root });
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error("it did not fail with an AppError");
}

const member = "slot: a, name: A, nameJa: ア, role: code, color: '#112233', takes: [code]";

describe("loadSettings", () => {
  test.each([
    ["a value of another type", 'port: "x"', ':1: port "x": ', "expected number"],
    ["a value out of bounds", "port: 99999", ':1: port "99999": ', "<=65535"],
    ["an unknown field", "hosts: []\nprot: 8000", ':2: prot "8000": ', 'did you mean "port"?'],
    ["a field unlike any other", "wizard: 1", ":1: wizard ", "known are port, team, agent"],
    ["an unknown field deep inside", "limits:\n  outputByte: 1", ":2: limits.outputByte ", '"outputBytes"'],
    ["broken YAML", "port: [", ":1:8: ", ""],
    ["no map at all", "hello", ':1: (top level) "hello": ', "expected object"],
    ["a team that does not exist", "team: nosuch", ':1: team "nosuch": ', "known: miyabi, boss"],
    ["a team of one's own with a mistake", "team:\n  name: own\n  members: []", ":3: team.members: ", ">=1"],
    [
      "an unknown field of a member",
      `team:\n  name: own\n  members:\n    - {${member}, takse: []}`,
      ":4: team.members.0.takse: ",
      'did you mean "takes"?',
    ],
    [
      "a slot that is there twice",
      `team:\n  name: own\n  members:\n    - {${member}}\n    - {${member}}`,
      ":4: team.members: ",
      'the slot "a" is there twice',
    ],
    [
      "a member's profile that does not exist",
      `team:\n  name: own\n  members:\n    - {${member}, profile: cluade}`,
      ':4: team.members.0.profile "cluade": ',
      "Known profiles: claude",
    ],
    ["an agent that does not exist", "agent: nosuch", ':1: agent "nosuch": ', "Known profiles: claude"],
    [
      "an unknown field of a profile",
      "agents:\n  profiles:\n    own:\n      comand: sh",
      ':4: agents.profiles.own.comand "sh": ',
      'did you mean "command"?',
    ],
    [
      "a profile without what it needs",
      "agents:\n  profiles:\n    own: { driver: command }",
      ":3: agents.profiles.own: ",
      "command: it is missing; expected string",
    ],
  ])("says %s with line, field and what is expected", async (_name, text, where, what) => {
    const home = await setup();
    await writeFile(home.configFile, text);
    const error = await failure(loadSettings(home));
    expect(error.code).toBe("config.invalid");
    expect(error.message).toContain(`${home.configFile}${where}`);
    expect(error.message).toContain(what);
    expect(error.fix).toContain(home.configFile);
  });

  test("says a file that cannot be read", async () => {
    const home = await setup();
    await mkdir(home.configFile);
    const error = await failure(loadSettings(home));
    expect(error.code).toBe("config.invalid");
    expect(error.message).toContain(`${home.configFile} cannot be read`);
  });

  test("takes an empty file for the defaults", async () => {
    const home = await setup();
    await writeFile(home.configFile, "# nothing yet\n");
    expect((await loadSettings(home)).settings.port).toBe(8000);
  });
});

describe("loadSecrets", () => {
  test("says the line that is none, and not what is in it", async () => {
    const home = await setup();
    await writeFile(home.envFile, "A=1\nsecret words\n");
    const error = await failure(loadSecrets(home));
    expect(error.message).toBe(`${home.envFile}:2: not a line NAME=value.`);
  });
});

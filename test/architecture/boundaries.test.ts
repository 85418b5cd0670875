import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
const root = path.dirname(path.dirname(import.meta.dirname));
let copy = "";

beforeAll(async () => {
  copy = await mkdtemp(path.join(os.tmpdir(), "miyabi-boundaries-"));
  await cp(path.join(root, "src"), path.join(copy, "src"), { recursive: true });
  for (const file of ["package.json", "tsconfig.json", ".dependency-cruiser.cjs"])
    await cp(path.join(root, file), path.join(copy, file));
  await symlink(path.join(root, "node_modules"), path.join(copy, "node_modules"));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
  };
}

async function cruise(): Promise<Cruise> {
  const program = path.join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const { stdout } = await run(
    process.execPath,
    [program, "src", "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
    { cwd: copy, maxBuffer: 256 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as Cruise;
}

it("reads the sources and catches planted violations", { timeout: 120_000 }, async () => {
  const planted: readonly (readonly [file: string, text: string, rule: string])[] = [
    ["src/base/planted-up.ts", 'import "../tasks/index.ts";\n', "base-imports"],
    ["src/api/planted-deep.ts", 'import "../tasks/decide.ts";\n', "public-door-only"],
    ["src/tasks/planted-child.ts", 'import "node:child_process";\n', "child-process-only-in-base"],
    ["src/unlisted/planted.ts", 'import "../base/index.ts";\n', "known-folder"],
    ["src/base/planted-a.ts", 'import "./planted-b.ts";\n', "no-circular"],
  ];
  await cp(path.join(root, "src/base/index.ts"), path.join(copy, "src/unlisted/index.ts"));
  // The other half of the cycle, which is reported once.
  await writeFile(path.join(copy, "src/base/planted-b.ts"), 'import "./planted-a.ts";\n');
  for (const [file, text] of planted) await writeFile(path.join(copy, file), text);
  const { summary } = await cruise();
  expect(summary.totalCruised).toBeGreaterThan(300);
  for (const [file, , rule] of planted)
    expect(summary.violations.map((one) => `${one.rule.name} ${one.from}`)).toContain(`${rule} ${file}`);
  expect(summary.violations.filter((one) => !/planted|unlisted/.test(one.from))).toEqual([]);
});

/** `npm run check`: everything that must hold before a commit. `--only NAME` runs one of them. */
import { spawn } from "node:child_process";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const bin = (file: string): string => path.join(root, "node_modules", file);

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

const CHECKS: readonly Check[] = [
  { name: "format", args: [bin("prettier/bin/prettier.cjs"), "--check", ".", "--log-level", "warn"] },
  { name: "lint", args: [bin("oxlint/bin/oxlint"), "--type-aware"] },
  { name: "types", args: [bin("typescript/bin/tsc"), "-p", "."] },
  { name: "types-web", args: [bin("typescript/bin/tsc"), "-p", "."], cwd: path.join(root, "web") },
  {
    name: "boundaries",
    args: [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "src", "--config", ".dependency-cruiser.cjs"],
  },
  { name: "dead-code", args: [bin("knip/bin/knip.js")] },
  {
    name: "unit",
    args: [bin("vitest/vitest.mjs"), "run", "--project", "unit", "--project", "web", "--reporter", "dot"],
  },
];

interface Result {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

function run(check: Check): Promise<Result> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, check.args, {
      cwd: check.cwd ?? root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", (code) =>
      resolve({
        code: code ?? 1,
        output: Buffer.concat(chunks).toString("utf8"),
        seconds: (performance.now() - started) / 1000,
      }),
    );
  });
}

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : null;
const wanted = CHECKS.filter((check) => only === null || check.name === only);
if (wanted.length === 0) {
  process.stderr.write(
    `There is no check "${only}"; there are ${CHECKS.map((check) => check.name).join(", ")}.\n`,
  );
  process.exit(64);
}
let failed = 0;
// One after the other: each uses both cores by itself.
for (const check of wanted) {
  const { code, output, seconds } = await run(check);
  process.stdout.write(`${code === 0 ? "ok  " : "FAIL"} ${check.name.padEnd(12)} ${seconds.toFixed(1)} s\n`);
  if (code === 0) continue;
  failed += 1;
  process.stdout.write(`${output}\nAgain: npm run check -- --only ${check.name}\n\n`);
}
process.exit(failed === 0 ? 0 : 1);

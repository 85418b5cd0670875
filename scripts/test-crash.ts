/**
 * `npm run test:crash`: 200 kills at moments of a new seed, which is printed first. `-- --seed N --kills N` repeats a
 * run; `--kinds host,database` kills only these.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    kills: { type: "string", default: "200" },
    kinds: { type: "string" },
  },
});
process.stdout.write(
  `${values.kills} kills; to repeat: npm run test:crash -- --seed ${values.seed} --kills ${values.kills}${values.kinds === undefined ? "" : ` --kinds ${values.kinds}`}\n`,
);
const root = path.dirname(import.meta.dirname);
await build({ ifStale: true });
const child = spawn(
  process.execPath,
  [
    path.join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--project",
    "integration",
    "test/crash/kills.test.ts",
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      MIYABI_SEED: values.seed,
      MIYABI_KILLS: values.kills,
      ...(values.kinds === undefined ? {} : { MIYABI_KINDS: values.kinds }),
    },
  },
);
child.on("close", (code) => process.exit(code ?? 1));

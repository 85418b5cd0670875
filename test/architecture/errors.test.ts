import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { ERROR_KINDS } from "../../src/base/index.ts";

it("docs/errors.md and the registry say the same", async () => {
  const text = await readFile(path.join(import.meta.dirname, "../../docs/errors.md"), "utf8");
  const documented = Object.fromEntries(
    [...text.matchAll(/^\| `([\w.]+)`\s*\| (\d+)\s*\| (\d+)\s*\| (yes|no)/gm)].map(
      ([, code, status, exit, again]) => [
        code,
        { status: Number(status), exitCode: Number(exit), retryable: again === "yes" },
      ],
    ),
  );
  expect(documented).toEqual(ERROR_KINDS);
});

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, transcriptOf, waitForTask, waitUntilIdle } from "../support/task-facts.ts";

/* A provider's usage limit: nobody is started in vain, and work goes on by itself, or with another agent where that is allowed. */
const REPORT = `
verdict=done; [ "$MIYABI_ROLE" = review ] && verdict=approve
[ "$verdict" = done ] && { echo "$0" > by.txt; git add by.txt; git commit -qm "feat: by $0" || true; }
echo "{\\"verdict\\":\\"$verdict\\",\\"notes\\":\\"Done.\\"}" > "$MIYABI_RESULT"
`;
/** Says that its limit is used up until the instant in the task's text, and works after that. */
const LIMITED = `
until=$(grep -o 'until [0-9]*' "$MIYABI_PROMPT" | head -1 | cut -d' ' -f2)
if [ "$(date +%s)" -lt "$until" ]; then echo "Claude AI usage limit reached|$until" >&2; exit 1; fi
${REPORT}`;

let product: TestInstallation;
let repository: TestRepository;
beforeAll(async () => {
  product = await createInstallation();
  repository = await createTestRepository(path.join(product.home, "words"));
  const program = (name: string, script: string) => ({
    driver: "command",
    command: "/bin/sh",
    args: ["-c", script, name],
    promptBy: "file",
  });
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      agents: {
        profiles: {
          limited: program("limited", LIMITED),
          replaced: program("replaced", LIMITED),
          other: program("other", REPORT),
        },
        instead: { replaced: ["other"] },
      },
    }),
  );
  product.up();
  await waitUntilIdle(product);
});
afterAll(() => product.destroy());

const add = async (title: string, profile: string, untilSeconds: number): Promise<string> => {
  const { id } = await product.post<{ id: string }>("/api/tasks", {
    repositoryPath: repository.dir,
    title,
    body: `Write a word. until ${untilSeconds}`,
    profile,
  });
  return id;
};

describe("a provider's usage limit", () => {
  it("parks the task until the reset that it states, starts no other agent before, and resumes by itself", async () => {
    const until = Math.ceil(Date.now() / 1_000) + 15;
    const first = await add("First", "limited", until);
    const parked = await waitForTask(product, first, (task) => task.waitsFor === "quota");
    expect(parked.reason?.message).toContain("usage limit");
    const { stdout } = await product.cli("task", "explain", first);
    expect(stdout).toContain("usage limit");

    const second = await add("Second", "limited", until);
    const untried = await waitForTask(product, second, (task) => task.waitsFor === "quota");
    expect(await transcriptOf(product, untried), "no agent was started").toEqual([]);

    for (const id of [first, second]) {
      const task = await waitForTask(product, id, hasEnded);
      expect(task.state).toBe("done");
    }
    expect(Date.now() / 1_000).toBeGreaterThanOrEqual(until);
  });

  it("moves the task to another agent where the settings allow that", async () => {
    const until = Math.ceil(Date.now() / 1_000) + 3_600;
    const first = await add("Third", "replaced", until);
    await waitForTask(product, first, (task) => task.waitsFor === "quota");
    const second = await add("Fourth", "replaced", until);
    const task = await waitForTask(product, second, hasEnded);
    expect(task.state).toBe("done");
    expect(await repository.git("log", "-1", "--format=%s", "main")).toContain("by other");
  });
});

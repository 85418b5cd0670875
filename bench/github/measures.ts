import { emitIssue } from "../../test/github-server/deliveries.ts";
import { labelIssue, openIssue } from "../../test/github-server/people.ts";
import type { Issue } from "../../test/github-server/state.ts";
import { startHostedProduct, type HostedProduct } from "../../test/support/hosted-product.ts";
import { eventually } from "../../test/support/installation.ts";
import { createTestRepository } from "../../test/support/repository.ts";
import { firstPromptAt, waitUntilIdle } from "../../test/support/task-facts.ts";
import { atLeast, atMost, median, noGoal, percentile, type Result } from "../result.ts";

/*
 * The product beside a GitHub server on loopback, as `npm run demo:github` starts them; the server counts what it is asked. Times are
 * of this machine, numbers of requests are not.
 */
type Note = (text: string) => void;

const PROMPTS = 20;
const TASKS = 5;
const BACKLOG = 1_000;
/** Requests an hour that GitHub grants. */
const LIMIT = 5_000;
const POLLS = 12;
const IDLE_POLL_SECONDS = 5;
/** How often the product asks by default, in an hour. */
const DEFAULT_POLLS = 60;

function start(
  settings: Readonly<Record<string, unknown>> = {},
  beforeStart?: (hosted: Before) => void,
): Promise<HostedProduct> {
  return startHostedProduct({
    name: "octo/menu",
    people: { hanako: "write" },
    fill: async (directory) => void (await createTestRepository(directory)),
    webhooks: true,
    github: { pollSeconds: 60, ...settings },
    ...(beforeStart === undefined ? {} : { beforeStart }),
  });
}
type Before = Pick<HostedProduct, "server" | "repository">;

const recipe = (steps: readonly object[]): string =>
  `Please.\n\n\`\`\`miyabi-recipe\n${JSON.stringify({ implement: steps, review: [{ approve: "Fine." }] })}\n\`\`\`\n`;

/** A person labels an issue; the server tells of it. */
function label({ server, repository }: Before, issue: Issue): void {
  labelIssue(server, issue, { name: "miyabi", by: "hanako" });
  emitIssue(server.state, repository, issue, "labeled", { label: { name: "miyabi" } });
}

interface TaskItem {
  readonly id: string;
  readonly state: string;
  readonly branch: string | null;
}

const taskOf = async (hosted: HostedProduct, { number }: Issue): Promise<TaskItem | undefined> =>
  (await hosted.product.get<{ items: TaskItem[] }>("/api/tasks?limit=20"))?.items.find(
    ({ branch }) => branch?.startsWith(`miyabi/${number}-`) === true,
  );

/** From the label to the prompt written to the first agent, by webhook, in an idle product. */
export async function measurePrompt(note: Note): Promise<readonly Result[]> {
  const hosted = await start();
  try {
    const times: number[] = [];
    for (let count = 0; count <= PROMPTS; count += 1) {
      const issue = openIssue(hosted.repository, {
        title: "Wait",
        body: recipe([{ wait: 600_000 }]),
        by: "hanako",
      });
      const labelledAt = Date.now();
      label(hosted, issue);
      // Looking more often would take the processor from what is measured.
      await new Promise((resolve) => setTimeout(resolve, 700));
      const task = await eventually("there is a task", 30_000, () => taskOf(hosted, issue));
      const promptAt = await eventually("the prompt is written", 30_000, () =>
        firstPromptAt(hosted.product, task.id),
      );
      // The first one fetches the repository into an empty cache.
      if (count > 0) times.push(promptAt - labelledAt);
      await hosted.product.post(`/api/tasks/${task.id}/cancel`, {});
      await waitUntilIdle(hosted.product);
      if (count % 10 === 0) note(`${count} of ${PROMPTS} prompts`);
    }
    return [
      atMost(1_000, { name: "label to first prompt by webhook, p50", value: median(times), unit: "ms" }),
      noGoal({ name: "label to first prompt by webhook, p95", value: percentile(times, 0.95), unit: "ms" }),
    ];
  } finally {
    await hosted.close();
  }
}

/** Requests of an idle repository, per poll and carried over to an hour of the default interval; and per task that is merged. */
export async function measureRequests(note: Note): Promise<readonly Result[]> {
  const idle = await start({ pollSeconds: IDLE_POLL_SECONDS });
  let perPoll: number;
  let free: number;
  try {
    const { requests } = idle.server.state;
    await new Promise((resolve) => setTimeout(resolve, 2 * IDLE_POLL_SECONDS * 1_000));
    const from = requests.length;
    note(`resting for ${POLLS * IDLE_POLL_SECONDS} s`);
    await new Promise((resolve) => setTimeout(resolve, POLLS * IDLE_POLL_SECONDS * 1_000));
    const made = requests.slice(from);
    // The interval varies a little, so the polls are counted: each begins with the list of issues.
    const polls = made.filter(({ path }) => path.endsWith("/issues")).length;
    perPoll = made.length / polls;
    free = made.filter(({ status }) => status === 304).length / made.length;
  } finally {
    await idle.close();
  }
  const busy = await start();
  try {
    const { requests } = busy.server.state;
    const from = requests.length;
    for (let count = 0; count < TASKS; count += 1) {
      const steps = [{ write: { path: `${count}.txt`, content: "x\n" } }, { commit: "feat: a file" }];
      const issue = openIssue(busy.repository, {
        title: `Write ${count}`,
        body: recipe(steps),
        by: "hanako",
      });
      label(busy, issue);
      await eventually("it is merged", 120_000, () =>
        Promise.resolve(issue.comments[0]?.body.startsWith("**done**")),
      );
      note(`${count + 1} of ${TASKS} tasks, ${requests.length - from} requests`);
    }
    // What comes of its own changes belongs to it too.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    return [
      atMost(60, {
        name: "requests an hour, one idle repository",
        value: perPoll * DEFAULT_POLLS,
        unit: "1/h",
      }),
      atLeast(0.9, { name: "share of them that is free (304)", value: free, unit: "ratio" }),
      atMost(25, {
        name: "requests for a task from label to merge",
        value: (requests.length - from) / TASKS,
        unit: "",
      }),
    ];
  } finally {
    await busy.close();
  }
}

/**
 * A backlog that was labelled while the product did not run, with no limit to open tasks and starts: from its start until all are tasks,
 * which is what "taken in" means here. The server refuses writes beyond GitHub's secondary limit, and the product plans with it.
 */
export async function measureBacklog(note: Note): Promise<readonly Result[]> {
  let startedAt = 0;
  const hosted = await start(
    { maxOpenTasks: 10_000, maxStartsPerMinute: 10_000, writes: {} },
    ({ server, repository }) => {
      server.state.secondaryLimit = { writes: 80, windowMs: 60_000, status: 403 };
      for (let count = 0; count < BACKLOG; count += 1) {
        const issue = openIssue(repository, {
          title: `Wait ${count}`,
          body: recipe([{ wait: 3_600_000 }]),
          by: "hanako",
        });
        labelIssue(server, issue, { name: "miyabi", by: "hanako", at: new Date(Date.now() - 60_000) });
      }
      startedAt = performance.now();
    },
  );
  try {
    const { requests } = hosted.server.state;
    await eventually("all are tasks", 300_000, async () => {
      const page = await hosted.product.get<{ items: TaskItem[] }>("/api/tasks?limit=1");
      const newest = Number(page?.items[0]?.id.slice(1) ?? 0);
      note(`${newest} tasks, ${requests.length} requests`);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return newest >= BACKLOG;
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    const asked = (): number => requests.filter(({ status }) => status !== 304).length;
    const reading = requests.filter(({ method, path }) => method === "GET" || path === "/graphql").length;
    const within = asked();
    note("watching what is written back for 60 s");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return [
      atMost(60, { name: `start until ${BACKLOG} labelled issues are tasks`, value: seconds, unit: "s" }),
      noGoal({ name: "requests that read, until then", value: reading, unit: "" }),
      atMost(LIMIT, {
        name: "requests against the limit, a minute later",
        value: Math.max(within, asked()),
        unit: "",
      }),
      noGoal({
        name: "writes a minute later (labels first)",
        value: hosted.server.state.writes.at.length,
        unit: "",
      }),
      atMost(0, {
        name: "requests that were refused for their number",
        value: requests.filter(({ status }) => status === 403 || status === 429).length,
        unit: "",
      }),
    ];
  } finally {
    await hosted.close();
  }
}

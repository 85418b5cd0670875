import { expect, test } from "vitest";
import { composePrompt } from "../../src/agents/control/prompts.ts";
import { branchesOf } from "../github-server/deliveries.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* Titles and texts that nobody writes on purpose: what becomes of them in branch, prompt, pull request, comment and console. */

interface Odd {
  readonly what: string;
  readonly title: string;
  readonly body: string;
  /** As everybody sees it. */
  readonly shown: string;
  /** After the issue's number. */
  readonly slug: string;
  /** Of the text, as the agent gets it. */
  readonly text: RegExp;
}

const LINE = "Say the price. 値段を書く。\n";

const ODD: readonly Odd[] = [
  {
    what: "no title and no text",
    title: "",
    body: "",
    shown: "Issue #1",
    slug: "-issue-1",
    text: /^\s*http/,
  },
  {
    what: "a text of 1 MB",
    title: "Say the price",
    body: LINE.repeat(Math.ceil(1_048_576 / Buffer.byteLength(LINE))),
    shown: "Say the price",
    slug: "-say-the-price",
    text: /^Say the price\. 値段を書く。\n[^]*The text goes on; \d+ more characters were left out\.\n\nhttp/,
  },
  {
    what: "nothing but emoji",
    title: "🍵👨‍👩‍👧🇯🇵",
    body: "🍰❤️👍🏽",
    shown: "🍵👨‍👩‍👧🇯🇵",
    slug: "",
    text: /^🍰❤️👍🏽\n/u,
  },
  {
    what: "more emoji than a title has room for",
    title: "a" + "🍵".repeat(400),
    body: "x",
    shown: "a" + "🍵".repeat(149),
    slug: "-a",
    text: /^x\n/,
  },
  {
    what: "Arabic and Hebrew with what turns the direction",
    title: "\u202Eقائمة\u202C الأسعار \u2066מחיר\u2069",
    body: "\u202Btxt.exe\u202C السعر",
    shown: "قائمة الأسعار מחיר",
    slug: "",
    text: /^txt\.exe السعر\n/,
  },
  {
    what: "zero width in every place",
    title: "\uFEFFSay\u200B the\u2060 pri\u00ADce\u200D",
    body: "\u200B\u200C\u2060to\u200Bday\u{E0061}\u{E0062}",
    shown: "Say the price",
    slug: "-say-the-price",
    text: /^today\n/,
  },
  {
    what: "nothing that is seen",
    title: "\u200B\u2060\u3164",
    body: "\u200B<!-- hidden -->",
    shown: "Issue #7",
    slug: "-issue-7",
    text: /^\s*http/,
  },
  {
    what: "halves of characters, controls and lines",
    title: "Say\u0000 \uD83Cthe\n\tprice\u0007",
    body: "a\u0000b\uDF75c\r\nd",
    shown: "Say the price",
    slug: "-say-the-price",
    text: /^abc\nd\n/,
  },
];

test("each odd issue becomes a task with a plain branch, a readable title and a text that is seen as it is read", async () => {
  const { openIssue, settle, agents, pulls, database, repository, server } = await setupGitHub({
    policy: "never",
  });
  for (const { title, body } of ODD) openIssue({ title, body, labelledBy: "hanako" });
  const from = performance.now();
  await settle();
  // Reading 1 MB of Markdown must hold nobody up.
  expect(performance.now() - from).toBeLessThan(20_000);
  await agents();
  await settle();
  const { rows } = await database.query<{ number: number; title: string; body: string; branch: string }>(
    "select i.number, t.title, t.body, t.branch from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id order by 1",
  );
  const branches = await branchesOf(repository);
  for (const [index, odd] of ODD.entries()) {
    const number = index + 1;
    const row = rows.find((one) => one.number === number);
    expect({ what: odd.what, title: row?.title, branch: row?.branch }).toEqual({
      what: odd.what,
      title: odd.shown,
      branch: `miyabi/${number}${odd.slug}`,
    });
    expect(row?.body).toMatch(odd.text);
    expect(row?.body.length).toBeLessThanOrEqual(200_000);
    expect([row?.title.isWellFormed(), row?.body.isWellFormed()]).toEqual([true, true]);

    const prompt = composePrompt({ ...PROMPT, title: row?.title ?? "", body: row?.body ?? "" });
    expect(prompt.split("\n").filter((line) => line.includes(PROMPT.nonce))).toHaveLength(3);

    const pull = pulls().find(({ pull: one }) => one?.head === row?.branch);
    expect(pull?.title).toBe(odd.shown);
    expect(pull?.body).toContain(`Closes #${number}.`);
    expect([...branches.keys()]).toContain(`refs/heads/miyabi/${number}${odd.slug}`);
    const said = repository.issues.get(number)?.comments.filter(({ user }) => user === server.state.login);
    expect(said).toHaveLength(1);
    expect(said?.[0]?.body).toContain(`Pull request: #${pull?.number}`);
  }
});

const PROMPT = {
  role: "code",
  step: "implement",
  isReview: false,
  taskId: "T1",
  labels: [],
  round: 1,
  attempt: 1,
  cause: { reason: "implement", details: "", target: null, again: null },
  targetBranch: "main",
  base: "0".repeat(40),
  commit: null,
  nonce: "nonce-of-the-test",
} as const;

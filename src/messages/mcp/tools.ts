import type { McpServer, ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Log } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import { withAnswers, type RunIdentity } from "../../tasks/index.ts";
import { LONGEST_MESSAGE, type Mailboxes } from "../mailboxes.ts";
import type { Questions } from "../questions.ts";
import { askPerson } from "./ask-person.ts";
import { mailboxesOf, sessionOf, type RunPorts } from "./identity.ts";
import { answered, answeredJson, fencedAnswer, lostRun, refused, safely } from "./tool-result.ts";

export interface ToolParams {
  readonly runs: RunPorts;
  readonly database: Database;
  readonly mailboxes: Mailboxes;
  readonly questions: Questions;
  readonly log: Log;
  /** How long one `ask_person` waits. */
  readonly askWaitMs: number;
  readonly progressMs: number;
}

const LONGEST_NOTES = 20_000;
const LONGEST_ANSWER = 2_000;
const LONGEST_PROGRESS = 2_000;
const LONGEST_QUESTION = 4_000;

const text = (longest: number) => z.string().trim().min(1).max(longest);

/** Registers the tools of one run. `signal` aborts when the agent has hung up. */
export function registerTools(
  server: McpServer,
  params: Readonly<ToolParams>,
  run: RunIdentity,
  signal: AbortSignal,
): void {
  const { runs, log } = params;
  const verdicts = runs.verdictsFor(run);

  server.registerTool(
    "report_result",
    {
      title: "Report the result",
      description:
        `Report how your work on this step ended: ${verdicts.join(", ")}. ` +
        "Call it once, when you are finished; it does not end your turn. Notes are read by people and by the next agent.",
      inputSchema: z.object({
        verdict: z.enum([...verdicts]),
        notes: z
          .string()
          .max(LONGEST_NOTES)
          .default("")
          .describe("What was done and why; for changes: what must change and where, as path:line."),
        answers: z
          .array(
            z.object({
              thread: z.number().int().positive().describe("The number in [thread 3]."),
              done: z.boolean().describe("Whether you did what it asks for."),
              text: text(LONGEST_ANSWER).describe("What you did, or why not; written below the thread."),
            }),
          )
          .max(100)
          .default([])
          .describe("One for each thread of a review that you were given."),
      }),
    },
    ({ verdict, notes, answers }) =>
      safely(log, run, async () =>
        fencedAnswer(
          run,
          await runs.recordVerdict({
            runId: run.runId,
            attempt: run.attempt,
            verdict,
            notes: withAnswers(notes, answers),
          }),
          `Recorded: ${verdict}.`,
        ),
      ),
  );

  server.registerTool(
    "report_progress",
    {
      title: "Report progress",
      description: "Say in one or two sentences what you are doing now. People see it at once.",
      inputSchema: z.object({ text: text(LONGEST_PROGRESS) }),
    },
    (input) =>
      safely(log, run, async () =>
        fencedAnswer(
          run,
          await runs.reportProgress({ runId: run.runId, attempt: run.attempt, text: input.text }),
          "Noted.",
        ),
      ),
  );

  server.registerTool(
    "ask_person",
    {
      title: "Ask a person",
      description:
        "Ask a person something that only they can decide, and wait for the answer. " +
        'If it says "waiting", call it again with the question_id to go on waiting.',
      inputSchema: z.object({
        question: text(LONGEST_QUESTION).optional(),
        options: z
          .array(text(200))
          .max(10)
          .optional()
          .describe("Answers to offer, if there are obvious ones."),
        question_id: z
          .string()
          .regex(/^Q[1-9]\d*$/)
          .optional(),
      }),
    },
    (input, context) =>
      safely(log, run, () =>
        askPerson({
          database: params.database,
          questions: params.questions,
          runs,
          run,
          input,
          waitMs: params.askWaitMs,
          progressMs: params.progressMs,
          onProgress: (step) => sendProgress(context, step),
          signal: AbortSignal.any([signal, context.mcpReq.signal]),
        }),
      ),
  );

  server.registerTool(
    "send_message",
    {
      title: "Send a message",
      description: "Send a message to another agent, a role, or a person. They read it when they next work.",
      inputSchema: z.object({
        to: text(60).describe("Name of an agent or a role, or `person`."),
        text: text(LONGEST_MESSAGE),
      }),
    },
    (input) =>
      safely(log, run, async () => {
        const names = await runs.recipients();
        if (!names.includes(input.to))
          return refused(`There is no recipient "${input.to}". Choose one of: ${names.join(", ")}.`);
        const message = await params.database.transaction(async (tx) => {
          if (!(await runs.isCurrent(tx, run))) return null;
          return params.mailboxes.sendIn(tx, {
            sender: sessionOf(run),
            recipient: input.to,
            taskId: run.taskId,
            body: input.text,
          });
        });
        return message === null ? lostRun(run) : answered(`Sent as ${message.id}.`);
      }),
  );

  server.registerTool(
    "read_messages",
    {
      title: "Read messages",
      description:
        "Read the messages for you that you have not acknowledged, oldest first. " +
        "Acknowledge what you have dealt with by its id; the rest comes again.",
      inputSchema: z.object({ acknowledge: z.array(z.string().max(30)).max(200).default([]) }),
    },
    ({ acknowledge }) =>
      safely(log, run, async () => {
        const recipients = mailboxesOf(run);
        const acknowledged =
          acknowledge.length === 0
            ? []
            : await params.mailboxes.acknowledge({ ids: acknowledge, recipients });
        const messages = await params.mailboxes.take({ recipients, session: sessionOf(run), again: true });
        return answeredJson({
          acknowledged,
          unknown: acknowledge.filter((id) => !acknowledged.includes(id)),
          messages: messages.map((message) => ({
            id: message.id,
            from: message.sender,
            to: message.recipient,
            task: message.taskId,
            sent_at: message.createdAt,
            text: message.body,
          })),
        });
      }),
  );
}

/** Keeps the client from giving up, where it asked for progress. */
async function sendProgress(context: ServerContext, step: number): Promise<void> {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await context.mcpReq.notify({
    method: "notifications/progress",
    params: { progressToken, progress: step, message: "Waiting for a person." },
  });
}

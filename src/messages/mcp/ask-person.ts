import { createHash } from "node:crypto";
import type { CallToolResult } from "@modelcontextprotocol/server";
import { AppError } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { RunIdentity } from "../../tasks/index.ts";
import type { Answer, Questions } from "../questions.ts";
import type { RunPorts } from "./identity.ts";
import { answeredJson, lostRun, refused } from "./tool-result.ts";

interface AskPersonParams {
  readonly database: Database;
  readonly questions: Questions;
  readonly runs: Pick<RunPorts, "isCurrent">;
  readonly run: RunIdentity;
  readonly input: {
    readonly question?: string | undefined;
    readonly options?: readonly string[] | undefined;
    readonly question_id?: string | undefined;
  };
  /** How long one call waits: below the 60 s after which common MCP clients give up. */
  readonly waitMs: number;
  readonly progressMs: number;
  readonly onProgress: (step: number) => Promise<void>;
  readonly signal: AbortSignal;
}

class LostRun extends Error {}

/**
 * Asks a person and waits a while. The question is a row, so neither a restart nor a client's time limit loses it: the
 * same call, or one with the question's id, goes on waiting for the same answer.
 */
export async function askPerson(params: Readonly<AskPersonParams>): Promise<CallToolResult> {
  const { input, run } = params;
  if ((input.question === undefined) === (input.question_id === undefined))
    return refused('Give either "question", or "question_id" of a question that you asked before.');
  try {
    const id =
      input.question_id === undefined
        ? await ask(params, input.question ?? "")
        : await known(params, input.question_id);
    return answerFor(id, await wait(params, id));
  } catch (error) {
    if (error instanceof LostRun) return lostRun(run);
    throw error;
  }
}

function ask(params: Readonly<AskPersonParams>, text: string): Promise<string> {
  const { run } = params;
  const options = params.input.options ?? [];
  const hash = createHash("sha256")
    .update(JSON.stringify([text, options]))
    .digest("hex");
  return params.database.transaction(async (tx) => {
    if (!(await params.runs.isCurrent(tx, run))) throw new LostRun();
    const question = await params.questions.askIn(tx, {
      kind: "question",
      taskId: run.taskId,
      runId: run.runId,
      asker: run.slot ?? run.role ?? run.runId,
      text,
      options,
      dedupeKey: `ask:${run.runId}:${hash}`,
    });
    return question.id;
  });
}

async function known(params: Readonly<AskPersonParams>, id: string): Promise<string> {
  const found = await params.questions.find({ id });
  // Questions of other tasks do not exist for this agent.
  if (found?.question.taskId !== params.run.taskId || found.question.kind !== "question")
    throw new AppError({ code: "not_found", message: `You asked no question ${id}.` });
  return id;
}

async function wait(params: Readonly<AskPersonParams>, id: string): Promise<Answer> {
  const rounds = Math.max(1, Math.ceil(params.waitMs / params.progressMs));
  let answer: Answer = { state: "waiting" };
  for (let round = 1; round <= rounds && !params.signal.aborted; round += 1) {
    await params.onProgress(round);
    answer = await params.questions.waitForAnswer({
      id,
      timeoutMs: Math.min(params.progressMs, params.waitMs),
      signal: params.signal,
    });
    if (answer.state !== "waiting") return answer;
  }
  return answer;
}

function answerFor(id: string, answer: Answer): CallToolResult {
  switch (answer.state) {
    case "answered":
      return answeredJson({ status: "answered", question_id: id, answer: answer.answer });
    case "withdrawn":
      return refused(`Question ${id} needs no answer any more: ${answer.reason}`);
    case "waiting":
      return answeredJson({
        status: "waiting",
        question_id: id,
        message: `Still waiting for a person. Call ask_person again with question_id "${id}" to go on waiting.`,
      });
  }
}

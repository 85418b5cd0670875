import { AppError, ERROR_KINDS, toAppError, commandName } from "../base/index.ts";
import type { Problem } from "../contract/index.ts";
import { launcherFile, withCommandName } from "./command-name.ts";
import { plain } from "./table.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What a command writes to. Standard output carries the result alone; what people read beside it goes to standard error. */
export interface Output {
  readonly json: boolean;
  /** How this installation is called in a shell. */
  readonly miyabi: string;
  /** The result: as JSON with `--json`, else as text. Commands of ours in the text are made to run when pasted. */
  result(value: unknown, text: string): void;
  /** For people, so nothing with `--json`: whoever reads that wants a result or a problem, and no prose between. */
  note(text: string): void;
}

interface OutputParams {
  readonly json: boolean;
  readonly env: Env;
  readonly stdout?: Pick<NodeJS.WritableStream, "write">;
  readonly stderr?: Pick<NodeJS.WritableStream, "write">;
}

export function createOutput(params: Readonly<OutputParams>): Output {
  const { json, stdout = process.stdout, stderr = process.stderr } = params;
  const miyabi = commandName(params.env, launcherFile());
  return {
    json,
    miyabi,
    result: (value, text) =>
      void stdout.write(`${json ? JSON.stringify(value) : withCommandName(text, miyabi)}\n`),
    note: (text) => {
      if (!json) stderr.write(`${withCommandName(text, miyabi)}\n`);
    },
  };
}

/** Says on standard error what went wrong and what to do, for people or as an RFC 9457 problem, and gives the exit code. */
export function reportError(error: unknown, params: Readonly<OutputParams>): number {
  const failure = toAppError(error);
  const kind = ERROR_KINDS[failure.code];
  const fix =
    failure.fix === null ? null : withCommandName(failure.fix, commandName(params.env, launcherFile()));
  const { stderr = process.stderr } = params;
  if (params.json) stderr.write(`${JSON.stringify(problemOf(failure, fix))}\n`);
  else stderr.write(`error: ${plain(failure.message)}\n${fix === null ? "" : `fix:   ${plain(fix)}\n`}`);
  return kind.exitCode;
}

function problemOf(failure: AppError, fix: string | null): Problem {
  return {
    type: `urn:miyabi:error:${failure.code}`,
    title: failure.code,
    status: ERROR_KINDS[failure.code].status,
    code: failure.code,
    detail: failure.message,
    fix,
    retryable: failure.retryable,
    details: { ...failure.details },
  };
}
